package auth

// LenientBase64 is what DecodeUID decodes with.
var LenientBase64 = lenientBase64
