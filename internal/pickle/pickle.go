package pickle

import (
	"errors"
	"fmt"
)

// A Tuple is a Python tuple.
type Tuple []any

// A Dict is a Python dict, in its order.
type Dict []Item

// An Item is one key of a dict and its value.
type Item struct{ Key, Value any }

// Get returns the value of a str key.
func (d Dict) Get(key string) (any, bool) {
	for _, item := range d {
		if k, ok := item.Key.(string); ok && k == key {
			return item.Value, true
		}
	}
	return nil, false
}

// Bounds of what is read and written.
const (
	// MaxDepth is how deep lists, tuples and dicts may nest.
	MaxDepth = 500
	// MaxSize is how large a value may be, in bytes of its strings plus 16 for each value, everything that the memo repeats
	// counted as often as it is repeated.
	MaxSize = 16 << 20
	// maxLong is the longest int, in bytes; it holds the 4300 digits that Python prints.
	maxLong   = 1786
	maxDigits = 4300
)

// ErrBounds says that a value is too deep, too large or contains itself.
var ErrBounds = errors.New("pickle: the value is too large, too deep or contains itself")

// An OpcodeError says that a pickle holds an instruction that plain data has no need of, such as one that calls a function.
type OpcodeError struct {
	Op     byte
	Offset int
}

func (e *OpcodeError) Error() string {
	return fmt.Sprintf("pickle: opcode 0x%02x at byte %d is not allowed", e.Op, e.Offset)
}

// A FormatError says that a text is not a pickle that Python would read.
type FormatError struct {
	Msg    string
	Offset int
}

func (e *FormatError) Error() string { return fmt.Sprintf("pickle: %s at byte %d", e.Msg, e.Offset) }

// An UnsupportedError says that a value has no place on the other side: a Go type that is not in the package's table, or, where
// JSON is asked for, bytes or a dict key that is not a str.
type UnsupportedError struct{ Value any }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("pickle: unsupported value of type %T", e.Value)
}

// The opcodes of plain data.
const (
	opMark            = '('
	opStop            = '.'
	opFloat           = 'F'
	opInt             = 'I'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opLong            = 'L'
	opBinInt2         = 'M'
	opNone            = 'N'
	opUnicode         = 'V'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opDict            = 'd'
	opEmptyDict       = '}'
	opAppends         = 'e'
	opGet             = 'g'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opList            = 'l'
	opEmptyList       = ']'
	opPut             = 'p'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opBinFloat        = 'G'
	opProto           = 0x80
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opMemoize         = 0x94
	opFrame           = 0x95
)
