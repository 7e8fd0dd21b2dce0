"""A browser that keeps cookies, reads forms and stops at redirects, as far as the sign-in pages need one."""

import base64
import hashlib
import html.parser
import http.cookiejar
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request


class Answer:
    def __init__(self, raw):
        self.status, self.headers, self.body = raw.status, raw.headers, raw.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        return urllib.parse.urlsplit(self.headers["Location"])

    def sent_back(self, to, fragment=False):
        """The parameters that a redirect to `to` carries."""
        assert self.status == 302, f"{self.status}: {self.text}"
        assert self.headers["Location"].startswith(to), self.headers["Location"]
        part = self.location.fragment if fragment else self.location.query
        return dict(urllib.parse.parse_qsl(part))

    @property
    def form(self):
        """Action and fields of the page's only form."""
        reader = FormReader()
        reader.feed(self.text)
        assert reader.action, self.text
        return reader.action, reader.fields

    @property
    def alert(self):
        reader = FormReader()
        reader.feed(self.text)
        return reader.alert


class FormReader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.action, self.fields, self.alert, self.in_alert = None, {}, "", False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")
        if attributes.get("role") == "alert":
            self.in_alert = True

    def handle_data(self, data):
        if self.in_alert:
            self.alert += data

    def handle_endtag(self, tag):
        self.in_alert = False


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, url):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, NoRedirect)

    def open(self, path, form=None, headers=None, **query):
        query = {name: value for name, value in query.items() if value is not None}
        address = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(address, data=data, headers=headers or {})
        try:
            return Answer(self.opener.open(request, timeout=10))
        except urllib.error.HTTPError as error:
            return Answer(error)

    def sign_in_page(self, **query):
        answer = self.open("/oauth2/authorize", **query)
        assert answer.status == 302, f"{answer.status}: {answer.text}"
        assert answer.headers["Location"].startswith("/login?"), answer.headers["Location"]
        return self.open(answer.headers["Location"])

    def submit(self, page, **fields):
        action, hidden = page.form
        return self.open(action, form={**hidden, **fields})


class Pkce:
    def __init__(self):
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.query = {
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }


def basic(client):
    pair = f"{client['ClientId']}:{client['ClientSecret']}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
