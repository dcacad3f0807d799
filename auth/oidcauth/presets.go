package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/auth"
)

// Google is Google's accounts. Set Params["hd"] and Require["hd"] to a domain to let the accounts of one organisation in only. It
// follows Google's documentation and its own tests; it was not run against Google.
func Google() Config {
	return Config{Name: "google", Title: "Google", Issuer: "https://accounts.google.com", NoAuthTime: true}
}

// tenantRule is how a Microsoft tenant is named by what never changes.
var tenantRule = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Microsoft is Microsoft Entra ID (Azure AD), for the accounts of one tenant, which is named by its id. The many tenants behind
// "common" and "organizations" are many issuers, which nobody here knows, so these are an error. Entra ID does not say that an
// address is verified: any tenant may write any address into its accounts. It follows Microsoft's documentation and its own tests;
// it was not run against Microsoft.
func Microsoft(tenant string) (Config, error) {
	if tenant = strings.ToLower(tenant); !tenantRule.MatchString(tenant) {
		return Config{}, fmt.Errorf("oidcauth: the tenant %q is not an id such as 72f988bf-86f1-41af-91ab-2d7cd011db47: every tenant is an issuer of its own", tenant)
	}
	return Config{Name: "microsoft", Title: "Microsoft", Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", NoAuthTime: true}, nil
}

// GitLab is gitlab.com, or a GitLab of one's own at that address. It follows GitLab's documentation and its own tests; it was not
// run against GitLab.
func GitLab(address string) Config {
	if address == "" {
		address = "https://gitlab.com"
	}
	return Config{Name: "gitlab", Title: "GitLab", Issuer: strings.TrimSuffix(address, "/"), Groups: "groups_direct", NoAuthTime: true}
}

// Keycloak is a realm of a Keycloak: https://id.example.com/realms/NAME. Groups need a mapper of the kind "Group Membership" with the
// claim name "groups", without the full path. It follows Keycloak's documentation and its own tests; it was not run against a
// Keycloak.
func Keycloak(realm string) Config {
	return Config{Name: "keycloak", Title: "Keycloak", Issuer: strings.TrimSuffix(realm, "/"), Groups: "groups", EndSession: true}
}

// Apple is Sign in with Apple. The secret is made by [AppleSecret]. Apple sends its answer as a form, and people's names never again
// after the first login, so that no names are taken. It follows Apple's documentation and its own tests; it was not run against
// Apple.
func Apple() Config {
	return Config{Name: "apple", Title: "Apple", Issuer: "https://appleid.apple.com", Scopes: []string{"openid", "email"}, FormPost: true, NoAuthTime: true}
}

// GitHub is GitHub's accounts, which have no ID tokens: the subject is the number of the account, which stays when its name changes
// hands, and the address is the primary one if GitHub has verified it. It follows GitHub's documentation and its own tests; it was
// not run against GitHub.
func GitHub() Config { return gitHub("https://github.com", "https://api.github.com") }

func gitHub(site, api string) Config {
	return Config{
		Name: "github", Title: "GitHub", Issuer: site, Scopes: []string{"read:user", "user:email"},
		OAuth: &OAuth{
			AuthURL: site + "/login/oauth/authorize", TokenURL: site + "/login/oauth/access_token",
			Identify: func(ctx context.Context, get Get) (*auth.Identity, error) {
				var user struct {
					ID    json.Number `json:"id"`
					Login string      `json:"login"`
					Name  string      `json:"name"`
				}
				if err := get(ctx, api+"/user", &user); err != nil {
					return nil, err
				}
				id := &auth.Identity{Subject: text(user.ID), Name: line(user.Login), Claims: map[string]any{"name": line(user.Name)}}
				if id.Subject == "" {
					return nil, errors.New("GitHub gives no number of the account")
				}
				var emails []struct {
					Email             string
					Primary, Verified bool
				}
				if err := get(ctx, api+"/user/emails", &emails); err != nil {
					return nil, err
				}
				for _, e := range emails {
					if e.Primary && e.Verified {
						id.Email, id.EmailVerified = line(e.Email), true
					}
				}
				return id, nil
			},
		},
	}
}

// A UserInfo says where a plain OAuth 2.0 provider tells who somebody is, and in which claims.
type UserInfo struct {
	URL string
	// Subject is the claim with what never changes and is never given to somebody else. Defaults to "sub".
	Subject string
	// Name, Email and EmailVerified default to "preferred_username", "email" and "email_verified".
	Name, Email, EmailVerified string
}

// mutable are claims that people can change, or that pass to somebody else.
var mutable = []string{"email", "mail", "preferred_username", "username", "user_name", "login", "upn", "unique_name", "name", "nickname", "phone_number"}

// Identify is an OAuth.Identify that asks one address. A claim that can change hands is no subject.
func (u UserInfo) Identify() (func(ctx context.Context, get Get) (*auth.Identity, error), error) {
	if u.Subject == "" {
		u.Subject = "sub"
	}
	if u.Name == "" {
		u.Name = "preferred_username"
	}
	if u.Email == "" {
		u.Email = "email"
	}
	if u.EmailVerified == "" {
		u.EmailVerified = "email_verified"
	}
	if slices.Contains(mutable, strings.ToLower(u.Subject[strings.LastIndex(u.Subject, ".")+1:])) {
		return nil, fmt.Errorf("oidcauth: the subject %q can pass from one person to another, and their account here with it: name the claim with the account's number", u.Subject)
	}
	if err := safeURL("UserInfo.URL", u.URL); err != nil {
		return nil, fmt.Errorf("oidcauth: %w", err)
	}
	return func(ctx context.Context, get Get) (*auth.Identity, error) {
		var claims map[string]any
		if err := get(ctx, u.URL, &claims); err != nil {
			return nil, err
		}
		id := &auth.Identity{
			Subject: text(lookup(claims, u.Subject)), Name: line(lookup(claims, u.Name)), Email: line(lookup(claims, u.Email)),
			EmailVerified: truth(lookup(claims, u.EmailVerified)), Claims: claims,
		}
		if id.Subject == "" {
			return nil, fmt.Errorf("the claim %q is missing, or neither a text nor a whole number", u.Subject)
		}
		return id, nil
	}, nil
}
