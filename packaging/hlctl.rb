# Homebrew's formula, which takes the archives of a release. `@version@` and `@sha256:TRIPLE@` are filled in by tools/formula.py from the
# checksums of that release; the workflow release.yml attaches the result to it.
class Hlctl < Formula
  desc "Provision and operate an AWS HealthLake FHIR store from one TOML file"
  homepage "https://github.com/hlctl/hlctl"
  version "@version@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/hlctl/hlctl/releases/download/v@version@/hlctl-@version@-aarch64-apple-darwin.tar.gz"
      sha256 "@sha256:aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/hlctl/hlctl/releases/download/v@version@/hlctl-@version@-x86_64-apple-darwin.tar.gz"
      sha256 "@sha256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/hlctl/hlctl/releases/download/v@version@/hlctl-@version@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@sha256:aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "https://github.com/hlctl/hlctl/releases/download/v@version@/hlctl-@version@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@sha256:x86_64-unknown-linux-gnu@"
    end
  end

  def install
    # The authorizers too: hlctl deploys the one for Lambda from its own directory.
    bin.install Dir["hlctl*"]
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/hlctl.bash" => "hlctl"
    zsh_completion.install "completions/_hlctl"
    fish_completion.install "completions/hlctl.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/hlctl --version")
    system bin/"hlctl", "schema"
  end
end
