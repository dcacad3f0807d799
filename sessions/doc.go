// Package sessions remembers something about a browser from one request to the next: Django's sessions, kept in Django's form,
// so that both sides of a shared database read and write the same ones.
//
// A [Manager] gives each request a lazy [Session], over a [Store]. [Key] gives session values a type. [Codec] is the text that
// Django keeps. Package sessiontest holds the rules of a Store as tests; package memstore is the simplest one.
//
// Whatever two requests do to one session at once, these hold: a session that was ended stays ended; of two requests that each
// set a key neither loses it; and a change meant for a session that has ended meanwhile is answered 400 ([ErrInterrupted]).
package sessions
