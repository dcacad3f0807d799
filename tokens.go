package cardea

import (
	"cmp"
	"errors"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
)

// Tokens keeps the tokens of programs.
type Tokens interface {
	tokenauth.Store
	tokenauth.Keeper
}

// tokens adds the back end for tokens to the stack, where the site has them.
func (s *Site[U]) tokens(store Tokens, cfg Config, backends []auth.Backend) ([]auth.Backend, error) {
	if !cfg.APITokens {
		return backends, nil
	}
	if store == nil {
		return nil, errors.New("api_tokens needs Parts.Tokens, which keep the tokens")
	}
	b, err := tokenauth.New(store, tokenauth.Config{Logger: cfg.Logger, Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	s.Tokens = store
	return append(backends[:len(backends):len(backends)], b), nil
}

// basicRealm is what HTTP Basic asks for, or nothing where it is off.
func (c *Config) basicRealm() string {
	if !c.Basic {
		return ""
	}
	name := cmp.Or(c.SiteName, "Cardea")
	ascii := make([]rune, 0, len(name))
	for _, r := range name {
		if r < ' ' || r > '~' {
			r = '?'
		}
		ascii = append(ascii, r)
	}
	return string(ascii)
}
