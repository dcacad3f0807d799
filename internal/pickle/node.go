package pickle

import (
	"math"
	"math/big"
	"strconv"
)

// kind is what a node is. Lists and dicts can grow after they were made; nothing else can.
type kind uint8

const (
	scalar kind = iota
	list
	tuple
	dict
	mark
)

// node is a value on the way. The memo can put one node into several places; value makes a copy for each.
type node struct {
	kind   kind
	shared bool // came out of the memo: who writes plain data does not change it any more
	open   int  // how often it is on the stack
	scalar any
	items  []*node // of a dict: key, value, key, value
	size   int     // with everything inside, counted as often as it occurs
	depth  int
}

// nodeSize is what a value counts beside its bytes.
const nodeSize = 16

// add appends values to a container.
func (n *node) add(items []*node) error {
	for _, item := range items {
		n.size += item.size
		n.depth = max(n.depth, item.depth+1)
		if n.size > MaxSize || n.depth > MaxDepth {
			return ErrBounds
		}
	}
	n.items = append(n.items, items...)
	return nil
}

func (n *node) value() any {
	switch n.kind {
	case list:
		return n.values()
	case tuple:
		return Tuple(n.values())
	case dict:
		return n.dict()
	default:
		return n.scalar
	}
}

func (n *node) values() []any {
	v := make([]any, len(n.items))
	for i, item := range n.items {
		v[i] = item.value()
	}
	return v
}

// dict has each key once, at its first place with its last value.
func (n *node) dict() Dict {
	d := make(Dict, 0, len(n.items)/2)
	index := make(map[string]int, len(n.items)/2)
	var id []byte
	for i := 0; i < len(n.items); i += 2 {
		key, value := n.items[i], n.items[i+1].value()
		id = key.appendIdentity(id[:0])
		if at, ok := index[string(id)]; ok {
			d[at].Value = value
			continue
		}
		index[string(id)] = len(d)
		d = append(d, Item{key.value(), value})
	}
	return d
}

// appendIdentity appends text that is the same for keys that Python takes for one, as 1, 1.0 and True, and different for others.
// All NaN are one key here, though not to Python.
func (n *node) appendIdentity(dst []byte) []byte {
	if n.kind == tuple {
		dst = append(dst, '(')
		for _, item := range n.items {
			dst = item.appendIdentity(dst)
		}
		return append(dst, ')')
	}
	switch v := n.scalar.(type) {
	case bool:
		if v {
			return append(dst, "i1;"...)
		}
		return append(dst, "i0;"...)
	case int64:
		return append(strconv.AppendInt(append(dst, 'i'), v, 10), ';')
	case *big.Int:
		return append(v.Append(append(dst, 'i'), 10), ';')
	case float64:
		if v == math.Trunc(v) && !math.IsInf(v, 0) {
			whole, _ := big.NewFloat(v).Int(nil)
			return append(whole.Append(append(dst, 'i'), 10), ';')
		}
		return append(strconv.AppendFloat(append(dst, 'f'), v, 'g', -1, 64), ';')
	case string:
		return appendSized(append(dst, 's'), v)
	case []byte:
		return appendSized(append(dst, 'b'), string(v))
	default: // None
		return append(dst, 'N')
	}
}

func appendSized(dst []byte, s string) []byte {
	dst = append(strconv.AppendInt(dst, int64(len(s)), 10), ':')
	return append(dst, s...)
}

// hashable reports whether Python takes the value for a dict key.
func (n *node) hashable() bool {
	switch n.kind {
	case list, dict:
		return false
	case tuple:
		for _, item := range n.items {
			if !item.hashable() {
				return false
			}
		}
	}
	return true
}
