//! The forms of a page, as far as they are needed to log in.

use html5gum::{Token, Tokenizer};

/// A page, taken apart.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its forms.
    pub(super) forms: Vec<Form>,
    /// What it says is wrong.
    pub(super) alert: Option<String>,
}

/// A form.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// Where it is sent; `None` is the page's own address.
    pub(super) action: Option<String>,
    /// Whether it is sent by POST.
    pub(super) is_post: bool,
    fields: Vec<Field>,
}

#[derive(Debug, Default)]
struct Field {
    name: String,
    kind: String,
    value: String,
}

impl Page {
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut is_in_form = false;
        let mut alert: Option<(Vec<u8>, Vec<u8>)> = None;
        for Ok(token) in Tokenizer::new(html) {
            match token {
                Token::StartTag(tag) => {
                    let attribute = |name: &str| {
                        let value = tag.attributes.get(name.as_bytes());
                        value.map(|value| String::from_utf8_lossy(value).into_owned())
                    };
                    if page.alert.is_none()
                        && alert.is_none()
                        && is_alert(attribute("role").as_deref(), attribute("id").as_deref())
                    {
                        alert = Some((tag.name.to_vec(), Vec::new()));
                    }
                    match &tag.name[..] {
                        b"form" => {
                            page.forms.push(Form::new(attribute("action"), attribute("method")));
                            is_in_form = true;
                        }
                        b"input" => {
                            if let Some(form) = page.forms.last_mut().filter(|_| is_in_form) {
                                let field = Field::new(attribute("name"), attribute("type"), attribute("value"));
                                form.fields.extend(field);
                            }
                        }
                        _ => {}
                    }
                }
                Token::EndTag(tag) => {
                    is_in_form &= &tag.name[..] != b"form";
                    if let Some((_, text)) = alert.take_if(|(name, _)| name[..] == tag.name[..]) {
                        let text = super::tell(&String::from_utf8_lossy(&text));
                        page.alert = Some(text).filter(|text| !text.is_empty());
                    }
                }
                Token::String(text) => {
                    if let Some((_, reported)) = &mut alert {
                        reported.extend_from_slice(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// The form that asks for a password and nothing but a name in addition.
    pub(super) fn sign_in(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.asks_for("password") == 1 && form.user().is_some())
    }

    /// Whether a form asks for anything that is not hidden.
    pub(super) fn asks(&self) -> bool {
        self.forms.iter().any(|form| form.fields.iter().any(Field::is_asked))
    }
}

/// ARIA's role, and the id in the classic pages of Cognito.
fn is_alert(role: Option<&str>, id: Option<&str>) -> bool {
    role == Some("alert") || id == Some("loginErrorMessage")
}

impl Field {
    fn new(name: Option<String>, kind: Option<String>, value: Option<String>) -> Option<Self> {
        let name = name.filter(|name| !name.is_empty())?;
        let kind = kind.unwrap_or_else(|| "text".to_owned()).to_ascii_lowercase();
        Some(Self { name, kind, value: value.unwrap_or_default() })
    }

    fn is_asked(&self) -> bool {
        !["hidden", "submit", "button", "image", "reset"].contains(&self.kind.as_str())
    }
}

impl Form {
    fn new(action: Option<String>, method: Option<String>) -> Self {
        let is_post = method.is_some_and(|method| method.eq_ignore_ascii_case("post"));
        Self { action: action.filter(|action| !action.is_empty()), is_post, fields: Vec::new() }
    }

    fn asks_for(&self, kind: &str) -> usize {
        self.fields.iter().filter(|field| field.kind == kind).count()
    }

    fn user(&self) -> Option<&Field> {
        self.fields.iter().find(|field| ["text", "email", "tel"].contains(&field.kind.as_str()))
    }

    /// What is sent: the hidden fields as they are, the name and the password.
    pub(super) fn filled(&self, username: &str, password: &str) -> String {
        let user = self.user().map(|field| field.name.as_str());
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for field in &self.fields {
            match field.kind.as_str() {
                "hidden" => body.append_pair(&field.name, &field.value),
                "password" => body.append_pair(&field.name, password),
                _ if Some(field.name.as_str()) == user => body.append_pair(&field.name, username),
                _ => &mut body,
            };
        }
        body.finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// In the form of Cognito's classic page: a form for providers, then one for small and one for large screens.
    const CLASSIC: &str = r#"<html><body><form action="/oauth2/idp"><button name="x">Elsewhere</button></form>
        <p id="loginErrorMessage">Incorrect <b>username</b> or password.</p>
        <form name="cognitoSignInForm" method="POST" action="/login?client_id=a&amp;state=b">
        <input type="hidden" name="_csrf" value="t&quot;k"><input name="username" type="text">
        <input name="password" type="password"><input type="hidden" name="cognitoAsfData">
        <input name="signInSubmitButton" type="Submit" value="Sign in"></form>
        <form method="POST"><input name="username"><input name="password" type="password"></form></body></html>"#;

    #[test]
    fn a_classic_page_is_filled_in() {
        let page = Page::read(CLASSIC);
        let form = page.sign_in().unwrap();
        assert_eq!(form.action.as_deref(), Some("/login?client_id=a&state=b"));
        assert!(form.is_post);
        assert_eq!(form.filled("al ice", "p&w=d"), "_csrf=t%22k&username=al+ice&password=p%26w%3Dd&cognitoAsfData=");
        assert_eq!(page.alert.as_deref(), Some("Incorrect username or password."));
    }

    #[test]
    fn a_page_for_a_new_password_is_no_log_in() {
        let page = Page::read(
            r#"<form method="post"><input type="password" name="new_password"><input type="password" name="again"></form>"#,
        );
        assert!(page.sign_in().is_none());
        assert!(page.asks());
    }

    #[test]
    fn what_is_no_page_has_no_forms() {
        for text in ["", "{\"a\": 1}", "<form", "<input type=password name=p><input name=u>", "<div id=root></div>"] {
            let page = Page::read(text);
            assert!(page.sign_in().is_none() && !page.asks(), "{text}");
        }
    }
}
