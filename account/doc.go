// Package account is the life of an account without its pages: a password is changed or reset, an address is verified and
// changed, somebody signs up. It knows no HTTP and writes no SQL: [Store] and [Links] are tables, and mail leaves through an
// outbox.
//
// The rules:
//
//  1. What somebody who is not logged in asks for is one row in the outbox, whatever the address. Whether it is anybody's is
//     looked up when the mail is made, so that neither the answer nor its time tells.
//  2. Mail goes to the address that is stored, never to the one that was typed; the two are compared as Django compares them.
//  3. The outbox holds what a mail is about, never a link: [Service.Compose] makes the link when the mail is sent.
//  4. A link, and every change, is used by one conditional statement that names what it expects. Of any number at once one
//     succeeds.
//  5. A link is bound to what it was made for: after a change of password or address, or when the account was switched off,
//     the links from before are dead.
package account
