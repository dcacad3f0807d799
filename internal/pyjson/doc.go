// Package pyjson reads and writes JSON as Python's json module does, which is what Django's sessions and signed values hold.
//
// Reading accepts what json.loads accepts: NaN, Infinity and -Infinity, integers of up to 4300 digits, repeated names (the last
// value wins, at the first one's place) and escapes of lone surrogates. It refuses what json.loads refuses, control characters
// in strings among it.
//
// Writing gives what json.dumps gives with ensure_ascii: ASCII, \uXXXX in lower case, order kept, floats in Python's repr (1.0,
// 1e+16, 1e-05, -0.0), integers digit by digit.
//
// A Go string cannot hold a lone surrogate in valid UTF-8. Here it does so in its three-byte form (ED A0 80 to ED BF BF), so that
// text which Python wrote comes back as it was.
package pyjson
