// Package signing signs and reads values as django.core.signing does, so that a Django process with the same secret reads what
// Cardea writes and the other way round.
//
// [Signer] appends a signature to a string, [TimestampSigner] a time and a signature. [TimestampSigner.Dumps] and
// [TimestampSigner.Loads] carry JSON, compressed where that is shorter: the form of a session row and of the messages cookie.
// [CookieSigner] is HttpRequest.get_signed_cookie and HttpResponse.set_signed_cookie. [MAC] is salted_hmac.
//
// All types are safe for concurrent use. Keys are derived once, when a value is made; make signers at start and keep them.
package signing
