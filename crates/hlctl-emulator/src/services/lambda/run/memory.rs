//! How much memory a process and its descendants hold.

use rustix::process::Pid;

/// Kilobytes that `leader` and everything below it hold resident, pages that they share counted for each; `None`
/// where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn resident(leader: Pid) -> Option<u64> {
    let mut total = None;
    let mut left = vec![leader.as_raw_nonzero().get()];
    while let Some(pid) = left.pop() {
        if let Some(kilobytes) = resident_of(pid) {
            total = Some(total.unwrap_or(0) + kilobytes);
        }
        left.extend(children(pid));
    }
    total
}

/// `VmRSS` in `/proc/PID/status` (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn resident_of(pid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The children that any of the threads of `pid` has started (proc_pid_task(5)).
#[cfg(target_os = "linux")]
fn children(pid: i32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>())
        .collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn resident(_leader: Pid) -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn this_process_holds_some_memory() {
        assert!(resident(rustix::process::getpid()).unwrap() > 1000);
    }
}
