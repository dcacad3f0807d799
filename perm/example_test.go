package perm_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cardea-go/cardea/perm"
)

// A newsroom gives everybody who is logged in the same permissions.
type newsroom struct{}

func (newsroom) Permissions(_ context.Context, s perm.Subject) (perm.Grants, error) {
	if !s.Active {
		return perm.Grants{}, nil
	}
	return perm.Grants{Group: perm.NewSet("news.add_story", "news.view_story")}, nil
}

type story struct{ Author string }

// Two sources: what everybody in the newsroom may do, and a hook for single stories, which its author may change.
func Example() {
	own := perm.Func(func(_ context.Context, s perm.Subject, name string, obj any) (bool, error) {
		st, ok := obj.(*story)
		return ok && name == "news.change_story" && s.Active && st.Author == s.ID, nil
	})
	ada := perm.For(context.Background(), perm.Subject{ID: "ada", Active: true}, newsroom{}, own)

	show := func(what string, ok bool, err error) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(what, ok)
	}
	ok, err := ada.Has("news.add_story")
	show("add stories:", ok, err)
	ok, err = ada.Has("news.change_story")
	show("change any story:", ok, err)
	ok, err = ada.On(&story{Author: "ada"}).Has("news.change_story")
	show("change her own:", ok, err)
	ok, err = ada.On(&story{Author: "bob"}).Has("news.change_story")
	show("change Bob's:", ok, err)
	ok, err = ada.Module("sports")
	show("anything in sports:", ok, err)
	// Output:
	// add stories: true
	// change any story: false
	// change her own: true
	// change Bob's: false
	// anything in sports: false
}
