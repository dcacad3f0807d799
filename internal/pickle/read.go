package pickle

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
)

// Unmarshal reads one pickle, which must be all of b. The failures are an [*OpcodeError] for what is not plain data, a
// [*FormatError] for what is no pickle, and [ErrBounds].
func Unmarshal(b []byte) (any, error) {
	r := reader{src: b, memo: map[int]*node{}}
	for {
		op, err := r.byte()
		if err != nil {
			return nil, err
		}
		if op == opStop {
			break
		}
		if err := r.do(op); err != nil {
			return nil, err
		}
	}
	root, err := r.pop()
	if err != nil {
		return nil, err
	}
	if len(r.stack) != 0 || r.pos != len(b) {
		return nil, r.fail("more than one value")
	}
	return root.value(), nil
}

// reader is Python's unpickling machine, as far as plain data goes.
type reader struct {
	src   []byte
	pos   int
	stack []*node
	memo  map[int]*node
}

func (r *reader) fail(msg string) error { return &FormatError{Msg: msg, Offset: r.pos} }

func (r *reader) do(op byte) error {
	switch op {
	case opProto:
		return r.proto()
	case opFrame:
		n, err := r.uint(8)
		if err == nil && n > uint64(len(r.src)-r.pos) {
			err = r.fail("frame longer than the pickle")
		}
		return err
	case opMark:
		r.push(&node{kind: mark})
		return nil
	case opNone:
		return r.scalar(nil, 0)
	case opNewTrue:
		return r.scalar(true, 0)
	case opNewFalse:
		return r.scalar(false, 0)
	case opInt, opLong, opFloat, opUnicode:
		return r.line(op)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return r.number(op)
	case opShortBinUnicode, opBinUnicode, opBinUnicode8, opShortBinBytes, opBinBytes, opBinBytes8:
		return r.text(op)
	case opPut, opBinPut, opLongBinPut, opMemoize:
		return r.put(op)
	case opGet, opBinGet, opLongBinGet:
		return r.get(op)
	default:
		return r.container(op)
	}
}

func (r *reader) container(op byte) error {
	switch op {
	case opEmptyList:
		r.push(&node{kind: list, size: nodeSize})
		return nil
	case opEmptyDict:
		r.push(&node{kind: dict, size: nodeSize})
		return nil
	case opEmptyTuple:
		r.push(&node{kind: tuple, size: nodeSize})
		return nil
	case opTuple1, opTuple2, opTuple3:
		items, err := r.popN(int(op) - opTuple1 + 1)
		if err != nil {
			return err
		}
		return r.make(tuple, items)
	case opTuple:
		return r.makeMarked(tuple)
	case opList:
		return r.makeMarked(list)
	case opDict:
		return r.makeMarked(dict)
	case opAppend:
		return r.extendBy(list, 1)
	case opSetItem:
		return r.extendBy(dict, 2)
	case opAppends:
		return r.extendMarked(list)
	case opSetItems:
		return r.extendMarked(dict)
	}
	return &OpcodeError{Op: op, Offset: r.pos - 1}
}

func (r *reader) proto() error {
	v, err := r.byte()
	if err == nil && v > 5 {
		err = r.fail("unknown protocol")
	}
	return err
}

// number reads the binary numbers.
func (r *reader) number(op byte) error {
	switch op {
	case opBinInt1:
		n, err := r.uint(1)
		return r.push1(int64(n), err) //nolint:gosec // one byte
	case opBinInt2:
		n, err := r.uint(2)
		return r.push1(int64(n), err) //nolint:gosec // two bytes
	case opBinInt:
		n, err := r.uint(4)
		return r.push1(int64(int32(n)), err) //nolint:gosec // four bytes, signed
	case opBinFloat:
		b, err := r.take(8)
		if err != nil {
			return err
		}
		return r.scalar(math.Float64frombits(binary.BigEndian.Uint64(b)), 0)
	}
	width := 1
	if op == opLong4 {
		width = 4
	}
	n, err := r.uint(width)
	if err != nil {
		return err
	}
	if n > maxLong {
		return ErrBounds
	}
	b, err := r.take(int(n)) //nolint:gosec // at most maxLong
	if err != nil {
		return err
	}
	return r.scalar(fromTwosComplement(b), len(b))
}

// fromTwosComplement reads a little-endian number as Python's int.from_bytes(signed=True).
func fromTwosComplement(b []byte) any {
	reversed := make([]byte, len(b))
	for i, c := range b {
		reversed[len(b)-1-i] = c
	}
	n := new(big.Int).SetBytes(reversed)
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) //nolint:gosec // small
	}
	return shortest(n)
}

// shortest is an int64 where that holds n.
func shortest(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// text reads the binary strings.
func (r *reader) text(op byte) error {
	width := 4
	switch op {
	case opShortBinUnicode, opShortBinBytes:
		width = 1
	case opBinUnicode8, opBinBytes8:
		width = 8
	}
	n, err := r.uint(width)
	if err != nil {
		return err
	}
	if n > uint64(len(r.src)-r.pos) {
		return r.fail("truncated")
	}
	b, err := r.take(int(n)) //nolint:gosec // at most the length of the pickle
	if err != nil {
		return err
	}
	if op == opShortBinBytes || op == opBinBytes || op == opBinBytes8 {
		return r.scalar(bytes.Clone(b), len(b))
	}
	if !validText(b) {
		return r.fail("invalid UTF-8")
	}
	return r.scalar(string(b), len(b))
}

// put stores the value on top of the stack in the memo.
func (r *reader) put(op byte) error {
	at, err := len(r.memo), error(nil)
	switch op {
	case opPut:
		at, err = r.lineIndex()
	case opBinPut:
		at, err = r.index(1)
	case opLongBinPut:
		at, err = r.index(4)
	}
	if err != nil {
		return err
	}
	if len(r.stack) == 0 || r.stack[len(r.stack)-1].kind == mark {
		return r.fail("nothing to remember")
	}
	r.memo[at] = r.stack[len(r.stack)-1]
	return nil
}

// get pushes a value from the memo. A container that is still being filled would end up inside itself.
func (r *reader) get(op byte) error {
	var at int
	var err error
	switch op {
	case opGet:
		at, err = r.lineIndex()
	case opBinGet:
		at, err = r.index(1)
	case opLongBinGet:
		at, err = r.index(4)
	}
	if err != nil {
		return err
	}
	n, ok := r.memo[at]
	switch {
	case !ok:
		return r.fail("nothing was remembered there")
	case n.kind != scalar && n.open > 0:
		return ErrBounds
	}
	n.shared = true
	r.push(n)
	return nil
}

func (r *reader) index(width int) (int, error) {
	n, err := r.uint(width)
	return int(n), err //nolint:gosec // four bytes at most
}

func (r *reader) makeMarked(k kind) error {
	items, err := r.popMark()
	if err != nil {
		return err
	}
	return r.make(k, items)
}

func (r *reader) extendMarked(k kind) error {
	items, err := r.popMark()
	if err != nil {
		return err
	}
	return r.extend(k, items)
}

func (r *reader) extendBy(k kind, n int) error {
	items, err := r.popN(n)
	if err != nil {
		return err
	}
	return r.extend(k, items)
}

// make pushes a container of the items.
func (r *reader) make(k kind, items []*node) error {
	n := &node{kind: k, size: nodeSize}
	if err := r.fill(n, items); err != nil {
		return err
	}
	r.push(n)
	return nil
}

// extend adds items to the container on top of the stack.
func (r *reader) extend(k kind, items []*node) error {
	if len(r.stack) == 0 || r.stack[len(r.stack)-1].kind != k {
		return r.fail("no container to add to")
	}
	n := r.stack[len(r.stack)-1]
	if n.shared {
		return r.fail("change of a value from the memo")
	}
	return r.fill(n, items)
}

func (r *reader) fill(n *node, items []*node) error {
	if n.kind == dict {
		if len(items)%2 != 0 {
			return r.fail("a key without a value")
		}
		for i := 0; i < len(items); i += 2 {
			if !items[i].hashable() {
				return r.fail("a key that cannot be one")
			}
		}
	}
	return n.add(items)
}

func (r *reader) push(n *node) {
	n.open++
	r.stack = append(r.stack, n)
}

func (r *reader) scalar(v any, size int) error {
	if size > MaxSize-nodeSize {
		return ErrBounds
	}
	r.push(&node{scalar: v, size: nodeSize + size})
	return nil
}

func (r *reader) push1(v int64, err error) error {
	if err != nil {
		return err
	}
	return r.scalar(v, 0)
}

func (r *reader) pop() (*node, error) {
	items, err := r.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popN takes n values from the stack. They are good until the next push.
func (r *reader) popN(n int) ([]*node, error) {
	if len(r.stack) < n {
		return nil, r.fail("stack underflow")
	}
	items := r.stack[len(r.stack)-n:]
	for _, item := range items {
		if item.kind == mark {
			return nil, r.fail("unexpected mark")
		}
		item.open--
	}
	r.stack = r.stack[:len(r.stack)-n]
	return items, nil
}

// popMark takes the values above the last mark from the stack, and the mark.
func (r *reader) popMark() ([]*node, error) {
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].kind == mark {
			items, err := r.popN(len(r.stack) - 1 - i)
			r.stack = r.stack[:i]
			return items, err
		}
	}
	return nil, r.fail("no mark")
}

func (r *reader) byte() (byte, error) {
	if r.pos >= len(r.src) {
		return 0, r.fail("truncated")
	}
	r.pos++
	return r.src[r.pos-1], nil
}

func (r *reader) take(n int) ([]byte, error) {
	if n > len(r.src)-r.pos {
		return nil, r.fail("truncated")
	}
	r.pos += n
	return r.src[r.pos-n : r.pos], nil
}

// uint reads a little-endian number of that many bytes.
func (r *reader) uint(width int) (uint64, error) {
	b, err := r.take(width)
	if err != nil {
		return 0, err
	}
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n, nil
}
