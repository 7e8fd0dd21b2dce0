//! The pages, in plain HTML. The classic ones need no script; those of managed login do, as at AWS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quick_xml::escape::escape;

/// What the first page shows.
pub(super) struct SignIn<'a> {
    /// The address that the form is sent to.
    pub(super) action: &'a str,
    pub(super) token: &'a str,
    pub(super) client: &'a str,
    pub(super) username: &'a str,
    /// What users may type as their name.
    pub(super) called: &'a str,
    pub(super) error: Option<&'a str>,
}

/// What the page for a new password shows.
pub(super) struct NewPassword<'a> {
    pub(super) action: &'a str,
    pub(super) token: &'a str,
    pub(super) rules: &'a str,
    /// Attributes that the user has yet to give.
    pub(super) attributes: Vec<&'a str>,
    pub(super) error: Option<&'a str>,
}

impl SignIn<'_> {
    pub(super) fn html(&self) -> String {
        let fields = [
            field("username", self.called, "text", "username", self.username),
            field("password", "Password", "password", "current-password", ""),
        ];
        let intro = format!("<p>to continue to <strong>{}</strong></p>", escape(self.client));
        document("Sign in", &form(&intro, self.action, self.token, self.error, &fields.concat(), "Sign in"))
    }
}

impl NewPassword<'_> {
    pub(super) fn html(&self) -> String {
        let mut fields = field("new_password", "New password", "password", "new-password", "");
        fields += &field("confirm_password", "New password again", "password", "new-password", "");
        for name in &self.attributes {
            fields += &field(&format!("userAttributes.{name}"), name, "text", "on", "");
        }
        let intro = format!("<p>Your password is a temporary one.</p><p>{}</p>", escape(self.rules));
        let form = form(&intro, self.action, self.token, self.error, &fields, "Change password");
        document("Change password", &form)
    }
}

/// A page that only a browser with scripts shows.
pub(super) fn by_script(html: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Sign in</title>\n</head>\n<body>\n\
         <noscript>This page needs JavaScript.</noscript>\n\
         <script>const page = new TextDecoder().decode(Uint8Array.from(atob(\"{}\"), c => c.charCodeAt(0)));\n\
         document.open(); document.write(page); document.close();</script>\n</body>\n</html>\n",
        BASE64.encode(html)
    )
}

/// A page that says what is wrong.
pub(super) fn problem(what: &str) -> String {
    document("Something is wrong", &format!("<p role=\"alert\">{}</p>", escape(what)))
}

fn form(intro: &str, action: &str, token: &str, error: Option<&str>, fields: &str, button: &str) -> String {
    let error = error.map(|error| format!("<p role=\"alert\">{}</p>", escape(error))).unwrap_or_default();
    format!(
        "{intro}{error}<form method=\"post\" action=\"{}\">\
         <input type=\"hidden\" name=\"_csrf\" value=\"{}\">{fields}\
         <button type=\"submit\">{button}</button></form>",
        escape(action),
        escape(token),
    )
}

fn field(name: &str, label: &str, kind: &str, complete: &str, value: &str) -> String {
    let (name, label, value) = (escape(name), escape(label), escape(value));
    let keyboard = if kind == "text" { " autocapitalize=\"none\" spellcheck=\"false\"" } else { "" };
    format!(
        "<label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" type=\"{kind}\" \
         autocomplete=\"{complete}\" value=\"{value}\" required{keyboard}>"
    )
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n\
         <footer>hlctl sandbox, in place of Amazon Cognito</footer>\n</body>\n</html>\n"
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
body{margin:0;padding:1rem;background:Canvas;color:CanvasText}\
main{max-width:24rem;margin:6vh auto 2rem;padding:1.5rem;border:1px solid GrayText;border-radius:.5rem}\
h1{margin:0;font-size:1.5rem}\
p{margin:.25rem 0 1rem;overflow-wrap:anywhere}\
label{display:block;margin:1rem 0 .25rem;font-weight:600}\
input,button{box-sizing:border-box;width:100%;min-height:2.75rem;padding:.5rem .75rem;font:inherit;\
border:1px solid GrayText;border-radius:.25rem}\
button{margin-top:1.5rem;border-color:#14508c;background:#14508c;color:#fff;font-weight:600;cursor:pointer}\
input:focus-visible,button:focus-visible{outline:3px solid Highlight;outline-offset:2px}\
[role=alert]{padding:.5rem .75rem;border-left:4px solid #b3261e}\
footer{text-align:center;font-size:.875rem}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_sent_can_become_markup() {
        let evil = "\"><script>alert('x')</script>&";
        let page =
            SignIn { action: evil, token: evil, client: evil, username: evil, called: "Username", error: Some(evil) };
        assert!(!page.html().contains("<script") && !page.html().contains("'x'"));
        let page = NewPassword { action: evil, token: evil, rules: evil, attributes: vec![evil], error: Some(evil) };
        assert!(!page.html().contains("<script"));
        assert!(!problem(evil).contains("<script"));
    }

    #[test]
    fn every_field_has_its_label() {
        let page = NewPassword { action: "/", token: "t", rules: "", attributes: vec!["email"], error: None }.html();
        for name in ["new_password", "confirm_password", "userAttributes.email"] {
            assert!(page.contains(&format!("<label for=\"{name}\">")), "{name}");
            assert!(page.contains(&format!("<input id=\"{name}\" name=\"{name}\"")), "{name}");
        }
    }
}
