// Package pickle reads and writes the pickles of plain data: None, bool, int, float, str, bytes, list, tuple and dict. That is
// what Django keeps in a cache for a session.
//
// A pickle is a program. This reader has no instruction that imports, calls or builds anything: every such opcode is refused with
// an [*OpcodeError], whatever stands around it. Size, depth and what the memo can multiply are bounded.
//
// Reading understands protocols 0 to 5 as Python 3 writes them. Writing gives protocols 2 to 5, byte for byte what Python's C
// pickler writes for a value that json.loads made.
//
// A Python value becomes a Go value so:
//
//	None   nil                    float  float64
//	bool   bool                   str    string, a lone surrogate in its three-byte form
//	int    int64, or *big.Int     bytes  []byte
//	       where that is short    list   []any
//	                              tuple  Tuple
//	                              dict   Dict
package pickle
