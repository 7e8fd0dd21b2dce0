// npm openid-client (code with PKCE, nonce, userinfo, refresh, client credentials) and fhir-kit-client against the sandbox.
import * as oidc from "openid-client";
import * as fhirKit from "fhir-kit-client";

const { SANDBOX, STORE, POOL, CLIENT_ID, CLIENT_SECRET, MACHINE_ID, MACHINE_SECRET, LOGIN, PASSWORD, CALLBACK } = process.env;
const http = { execute: [oidc.allowInsecureRequests] };
const issuer = new URL(`${SANDBOX}/${POOL}`);
const config = await oidc.discovery(issuer, CLIENT_ID, CLIENT_SECRET, undefined, http);
const verifier = oidc.randomPKCECodeVerifier();
const nonce = oidc.randomNonce();
const state = oidc.randomState();
const address = oidc.buildAuthorizationUrl(config, {
  redirect_uri: CALLBACK, scope: "openid patient/*.read", nonce, state,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
});

// What a browser does.
const first = await fetch(address, { redirect: "manual" });
const login = new URL(first.headers.get("location"), address);
const shown = await fetch(login, { redirect: "manual" });
const html = await shown.text();
const form = new URLSearchParams({ _csrf: html.match(/name="_csrf" value="([^"]*)"/)[1], username: LOGIN, password: PASSWORD });
const cookie = shown.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
const sent = await fetch(login, { method: "POST", body: form, headers: { cookie }, redirect: "manual" });
const back = new URL(sent.headers.get("location"));

const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true });
const claims = tokens.claims();
console.log("openid-client: id token of", claims.iss);
const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const again = await oidc.refreshTokenGrant(config, tokens.refresh_token);
const machine = await oidc.discovery(issuer, MACHINE_ID, MACHINE_SECRET, undefined, http);
const own = await oidc.clientCredentialsGrant(machine, { scope: "system/*.*" });
console.log("openid-client: userinfo", user.username, "refreshed", !!again.access_token, "machine", own.scope ?? "ok");

const kit = fhirKit.Client ?? fhirKit.default;
const client = new kit({ baseUrl: `${SANDBOX}/datastore/${STORE}/r4` });
const smart = await client.smartAuthMetadata();
console.log("fhir-kit-client:", String(smart.authorizeUrl), String(smart.tokenUrl));
client.bearerToken = tokens.access_token;
const page = await client.search({ resourceType: "Patient", searchParams: { _count: 10 } });
const next = await client.nextPage({ bundle: page });
console.log("fhir-kit-client:", page.entry.length, "patients,", next.entry.length, "on the next page");
const here = [claims.iss, String(smart.authorizeUrl), String(smart.tokenUrl), page.link.find((link) => link.relation === "next").url];
if (here.some((url) => !url.startsWith(SANDBOX))) throw new Error("led away: " + here);
