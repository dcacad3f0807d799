// Package throttle limits how often something is tried: log-ins, by account and by address.
//
// A limit is a burst of tries that refills evenly, the generic cell rate algorithm: all that is stored for a key is one
// time. A [Limiter] counts each try under two keys, the account and the client's address. A [Store] keeps them: [Memory] in
// one process, the database for many. Tests of a store are in throttletest.
//
// # What is counted as the same
//
// Accounts are compared trimmed, NFKC-normalised, case-folded and without invisible characters: a limit must not be
// passed by writing Ada, ADA or ａｄａ. IPv6 addresses count by /64, which is what one customer has. What is stored is a hash
// of that, so that the table holds no user names.
//
// # What a limit does not do
//
// Whoever guesses at an account from many addresses uses up its tries, and its owner waits, too. That is the price of
// counting by account; tries that are refused are not counted, so that the owner's turn comes as the limit refills.
package throttle
