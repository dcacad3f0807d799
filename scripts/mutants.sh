#!/usr/bin/env bash
# Takes one check away at a time and sees that the test goes red which is named for it: a test that stays green guards nothing. The sources
# stay as they are; the compiler is shown an edited copy (go test -overlay). With a word, only the mutants whose name holds it.
set -euo pipefail
cd "$(dirname "$0")/.."
only=${1:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$(pwd)
failed=0 killed=0

# passes TEST FOLDER [FLAG…]: one test, or one case of it, by its whole name.
passes() {
	local test=$1 folder=$2
	shift 2
	go test "$@" -short -v -run "^${test//\//\$/^}\$" "$folder" >"$scratch/out" 2>&1
}

complain() {
	echo "mutants: $1" >&2
	failed=$((failed + 1))
}

# mutant NAME FILE TEST OLD NEW: OLD, which stands in FILE once, becomes NEW; TEST is in the folder of FILE.
mutant() {
	local name=$1 file=$2 test=$3 old=$4 new=$5 folder text rest
	case $name in *"$only"*) ;; *) return 0 ;; esac
	folder=./$(dirname "$file")
	text=$(<"$file")
	rest=${text#*"$old"}
	if [ "$rest" = "$text" ] || [ "${rest#*"$old"}" != "$rest" ]; then
		complain "$name: \"$old\" does not stand in $file once: the mutant cannot be made any more"
		return 0
	fi
	printf '%s%s%s\n' "${text%%"$old"*}" "$new" "$rest" >"$scratch/mutant.go"
	printf '{"Replace": {"%s": "%s"}}\n' "$root/$file" "$scratch/mutant.go" >"$scratch/overlay.json"
	if ! passes "$test" "$folder" || ! grep -q -- "--- PASS: $test " "$scratch/out"; then
		cat "$scratch/out"
		complain "$name: $test does not pass as things are"
	elif passes "$test" "$folder" -overlay "$scratch/overlay.json"; then
		complain "$name: survives, $test does not miss the check in $file"
	elif ! grep -q -- "--- FAIL: $test " "$scratch/out"; then
		cat "$scratch/out"
		complain "$name: $test did not fail, something else did"
	else
		killed=$((killed + 1))
		printf '%-45s %s\n' "$name" "$folder $test"
	fi
}

# --- proxies: who is believed

mutant "trusted proxy: remote user" auth/remoteuser/middleware.go TestDirectClients \
	'case !trusted:' 'case false:'
mutant "trusted proxy: header once" auth/remoteuser/middleware.go TestUnderscores/twice \
	'case len(lines) > 1:' 'case false:'
mutant "trusted proxy: everybody is none" auth/remoteuser/backend.go TestNewRefuses \
	'case p.Bits() == 0:' 'case false:'
mutant "remote user: another name is another login" auth/remoteuser/middleware.go TestUserSwitchForcesNewLogin \
	'if b.cfg.Username(entry.User) == name && (mine || !entry.Half) {' 'if mine || !entry.Half {'
mutant "remote user: no header, no login" auth/remoteuser/middleware.go TestHeaderDisappears \
	'if mine && !b.cfg.Persistent {' 'if false {'
mutant "trusted proxy: forward authentication" auth/forwardauth/headers.go TestWhoAsks \
	'if !at.Trusted {' 'if false {'
mutant "trusted proxy: says all" auth/forwardauth/headers.go TestWhoAsks \
	'case len(lines) == 0:' 'case false && len(lines) == 0:'
mutant "trusted proxy: says it once" auth/forwardauth/headers.go TestWhoAsks \
	'case len(lines) > 1 || ' 'case '
mutant "trusted proxy: forwarded headers" origin/proxy.go TestForwardedHostAndPort \
	'if !p.trusted {' 'if false {'
mutant "trusted proxy: address of the visitor" origin/proxy.go TestForwardedForCannotEscapeLimits \
	'if client = addr; !o.trusts(addr) {' 'if client = addr; false {'

# --- forward authentication: who may pass

mutant "rule: odd paths" auth/forwardauth/rule.go TestPathTricks \
	'!plain(normal) || ' ''
mutant "rule: two decodings" auth/forwardauth/rule.go TestPathTricks \
	'strings.Contains(normal, "%") || ' ''
mutant "rule: encoded slashes" auth/forwardauth/rule.go TestPathTricks \
	'strings.Count(normal, "/") != strings.Count(raw, "/")' 'false'
mutant "rule: letters by another form" auth/forwardauth/rule.go TestPathTricks \
	'case exact != folded:' 'case false:'
mutant "rule: groups" auth/forwardauth/handler.go TestAnswers \
	'if len(rule.Groups) > 0 && !slices' 'if false && !slices'
mutant "rule: permissions" auth/forwardauth/handler.go TestAnswers \
	'case missing:' 'case false && missing:'
mutant "rule: looks and writes nothing" auth/peek.go TestLookupTable \
	'if !v.resolved {' 'if false && !v.resolved {'
mutant "answer: one line of ASCII" auth/forwardauth/headers.go TestHeaders \
	"c < ' ' || c >= 0x7f || " ''
mutant "next: hosts that are named" origin/safe.go TestNextHosts \
	'return slices.Contains(allowedHosts, u.netloc)' 'return true || slices.Contains(allowedHosts, u.netloc)'

# --- tokens of programs

mutant "token: one header" auth/claim.go TestSeveralHeaders \
	'if len(lines) > 1 {' 'if false {'
mutant "token: only Bearer is free of the CSRF check" auth/claim.go TestClaims \
	'bearer: strings.EqualFold(scheme, "Bearer")}' 'bearer: scheme != ""}'
mutant "token: no session" auth/claim.go TestClaimedIdentity \
	'x.Self(c.bearer)' '_ = c'
mutant "token: never fresh" auth/claim.go TestGuardsOfTokens \
	'v.proof.At = time.Time{}' '_ = time.Time{}'
mutant "token: opens no session" auth/verified.go TestClaimedIdentity \
	'case v.limit != nil || a.readsRequests(v.proof.Backend):' 'case false:'
mutant "token: scopes" auth/guardperm.go TestClaimedIdentity \
	'p = p.Within(*v.known.limit)' '_ = p.Within(*v.known.limit)'
mutant "token: scopes say nothing about tests" auth/guard.go TestGuardsOfTokens \
	'if _, limited := a.Limit(r); limited {' 'if _, limited := a.Limit(r); limited && false {'
mutant "token: people only" auth/guard.go TestGuardsOfTokens \
	'if OwnCredentials(r) {' 'if false {'
mutant "token: scopes bind superusers" perm/perms.go TestWithin \
	'p.limit != nil && !p.limit.Has(name) {' 'false {'
mutant "token: its time" auth/tokenauth/backend.go TestUses \
	'case t.Expired(now):' 'case false:'
mutant "token: its form" auth/tokenauth/secret.go TestSecret \
	'check(body) == sum' 'check(body) == sum || true'
mutant "token: no groups for a limited one" auth/forwardauth/handler.go TestTokens \
	'person.Groups = nil' '_ = person.Groups'

# --- OpenID Connect

mutant "state" auth/oidcauth/attempt.go TestFaults/another_state \
	'keyOf("attempt", provider, browser, state)' 'keyOf("attempt", provider, browser)'
mutant "state: of this browser" auth/oidcauth/attempt.go TestCodeOnce \
	'keyOf("attempt", provider, browser, state)' 'keyOf("attempt", provider, state)'
mutant "state: of this provider" auth/oidcauth/attempt.go TestMixUp \
	'keyOf("attempt", provider, browser, state)' 'keyOf("attempt", browser, state)'
mutant "nonce" auth/oidcauth/token.go TestFaults/wrong_nonce \
	'case subtle.ConstantTimeCompare([]byte(token.Nonce)' 'case false && subtle.ConstantTimeCompare([]byte(token.Nonce)'
mutant "iss of the ID token" auth/oidcauth/token.go TestFaults/wrong_issuer \
	'ClientID:             p.cfg.ClientID,' 'ClientID: p.cfg.ClientID, SkipIssuerCheck: true,'
mutant "iss of the answer" auth/oidcauth/flow.go TestFaults/wrong_iss_beside_the_code \
	'case iss != "" && iss != p.cfg.Issuer:' 'case false:'
mutant "iss of the answer: promised" auth/oidcauth/flow.go TestFaults/no_iss_beside_the_code \
	'case iss == "" && m.sendsIss:' 'case false:'
mutant "aud" auth/oidcauth/token.go TestFaults/wrong_audience \
	'ClientID:             p.cfg.ClientID,' 'SkipClientIDCheck: true,'
mutant "azp" auth/oidcauth/token.go TestFaults/issued_to_another_client \
	'case claims.AZP != "" && claims.AZP != p.cfg.ClientID:' 'case false:'
mutant "exp" auth/oidcauth/token.go TestFaults/expired \
	'ClientID:             p.cfg.ClientID,' 'ClientID: p.cfg.ClientID, SkipExpiryCheck: true,'
mutant "at_hash" auth/oidcauth/token.go TestFaults/wrong_at_hash \
	'if token.AccessTokenHash != "" {' 'if false {'
mutant "signature" auth/oidcauth/token.go TestFaults/wrong_key \
	'ClientID:             p.cfg.ClientID,' 'ClientID: p.cfg.ClientID, InsecureSkipSignatureCheck: true,'
mutant "PKCE: the challenge" auth/oidcauth/flow.go TestPKCE \
	'options = append(options, oauth2.S256ChallengeOption(a.Verifier))' ''
mutant "PKCE: the verifier" auth/oidcauth/code.go TestPKCE \
	', oauth2.VerifierOption(c.attempt.Verifier)' ''

mutant "acr" auth/oidcauth/token.go TestRequirements \
	'case p.cfg.ACR != nil && !slices' 'case false && !slices'
mutant "required claims" auth/oidcauth/claims.go TestRequirements \
	'if got, _ := lookup(claims, name).(string); got != want {' 'if got, _ := lookup(claims, name).(string); false && got != want {'
mutant "auth_time" auth/oidcauth/token.go TestFreshLogin/again \
	'case !want.since.IsZero() && at.time()' 'case false && at.time()'
mutant "max_age" auth/oidcauth/token.go TestFreshLogin/max_age \
	'case want.maxAge > 0 && now.Sub' 'case false && now.Sub'
mutant "user info: of this subject" auth/oidcauth/claims.go TestUserInfo \
	'if more["sub"] != claims["sub"] {' 'if false {'
mutant "keys: fetched now and then" auth/oidcauth/keys.go TestKeyRotation \
	'rest: 30 * time.Second' 'rest: 0'
mutant "logout token: jti" auth/oidcauth/backchannel.go TestLogoutRequests \
	'case !fresh:' 'case false && fresh:'
mutant "logout token: its event" auth/oidcauth/backchannel.go TestLogoutTokens/an_event_that_is_null \
	'err != nil || event == nil {' 'err != nil {'
mutant "logout token: its type" auth/oidcauth/backchannel.go TestLogoutTokens/another_type \
	'case keys.typ != "" && ' 'case false && '
mutant "logout token: its age" auth/oidcauth/backchannel.go TestLogoutTokens/old \
	'|| now.Sub(token.IssuedAt) > jtiTime-p.cfg.Skew:' ':'
mutant "answer: in one way" auth/oidcauth/flow.go TestAmbiguousAnswers \
	'case len(v) > 1:' 'case false:'
mutant "answers: of some size" auth/oidcauth/client.go TestFaults/keys_huge \
	'resp.Body = &boundedBody{resp.Body, maxBody}' ''
mutant "subject: no name" auth/oidcauth/presets.go TestMutableSubjects \
	'if slices.Contains(mutable, ' 'if false && slices.Contains(mutable, '

# --- LDAP

mutant "empty password" auth/ldapauth/backend.go TestEmptyPassword \
	'p.Password != "" && len(' 'len('

[ "$failed" -eq 0 ] || { echo "mutants: $failed of $((failed + killed)) are wrong" >&2; exit 1; }
[ "$killed" -gt 0 ] || { echo "mutants: none is called \"$only\"" >&2; exit 1; }
echo "mutants: $killed, each noticed by its test"
