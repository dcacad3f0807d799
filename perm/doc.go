// Package perm says what somebody may do: permissions such as "blog.change_post", where they come from, and how several
// sources of them come together.
//
// The rules are Django's. Who is active and a superuser has every permission, and no source is asked. Anybody else, also an
// inactive or unknown visitor, has what any [Source] says; the sources are asked in their order, and one that answers
// [ErrDenied] stops with no. A source answers from sets, or, as a [Decider], question by question, also about a single object.
//
//	perms := perm.For(ctx, perm.Subject{ID: "7", Active: true}, users, perm.Func(owns))
//	ok, err := perms.Has("blog.change_post")
//	ok, err = perms.On(post).Has("blog.change_post")
//
// A [Perms] asks each source once, when the first question needs it, and forgets everything with the request it was made for: a
// change of somebody's permissions counts from the next request on. In a template it is used as {{if .Perms.Has "blog.add_post"}}.
//
// Failures fail closed: a source that does not answer makes the answer an error, which is neither yes nor no, and stops a
// template before anything was sent.
package perm
