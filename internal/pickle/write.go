package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// Marshal returns v as a pickle of protocol 5, which is what Django's Redis cache writes.
func Marshal(v any) ([]byte, error) { return MarshalProtocol(v, 5) }

// MarshalProtocol returns v as a pickle of protocol 2, 3, 4 or 5. Protocol 2 has no bytes. The failures are an
// [*UnsupportedError] for a type that is not in the package's table, and [ErrBounds].
func MarshalProtocol(v any, protocol int) ([]byte, error) {
	if protocol < 2 || protocol > 5 {
		return nil, &FormatError{Msg: "protocol not written"}
	}
	w := writer{protocol: protocol, frame: -1, texts: map[string]int{}}
	w.out = append(w.out, opProto, byte(protocol))
	w.framing = protocol >= 4
	if err := w.save(v, 0, false); err != nil {
		return nil, err
	}
	w.write(opStop)
	w.commit()
	return w.out, nil
}

// writer is Python's C pickler, as far as plain data goes.
type writer struct {
	out      []byte
	protocol int
	framing  bool
	frame    int // where the frame began that is open, or -1
	memo     int // how many values were remembered
	texts    map[string]int
}

const (
	frameHeader = 9
	frameMin    = 4
	frameTarget = 64 << 10
	batch       = 1000
	nanBits     = 0x7ff8 << 48 // Go's own differs
)

// save writes a value. key says that it is the key of a dict: json.loads makes equal keys one object, so that the pickler writes a
// key once and refers to it from then on. The same holds for strings of at most one character up to U+00FF, wherever they stand.
func (w *writer) save(v any, depth int, key bool) error {
	if depth > MaxDepth {
		return ErrBounds
	}
	w.boundary()
	switch v := v.(type) {
	case nil:
		w.write(opNone)
	case bool:
		op := byte(opNewFalse)
		if v {
			op = opNewTrue
		}
		w.write(op)
	case int:
		w.int(int64(v))
	case int64:
		w.int(v)
	case *big.Int:
		return w.bigInt(v)
	case float64:
		bits := math.Float64bits(v)
		if v != v {
			bits = nanBits
		}
		w.write(binary.BigEndian.AppendUint64([]byte{opBinFloat}, bits)...)
	case string:
		return w.text(v, key)
	case []byte:
		return w.bytes(v)
	case []any:
		return w.list(v, depth)
	case Tuple:
		return w.tuple(v, depth)
	case Dict:
		return w.dict(v, depth)
	default:
		return &UnsupportedError{Value: v}
	}
	return nil
}

func (w *writer) int(n int64) {
	switch {
	case 0 <= n && n <= math.MaxUint8:
		w.write(opBinInt1, byte(n))
	case 0 <= n && n <= math.MaxUint16:
		w.write(binary.LittleEndian.AppendUint16([]byte{opBinInt2}, uint16(n))...)
	case math.MinInt32 <= n && n <= math.MaxInt32:
		w.write(binary.LittleEndian.AppendUint32([]byte{opBinInt}, uint32(n))...) //nolint:gosec // two's complement
	default:
		w.long(big.NewInt(n))
	}
}

func (w *writer) bigInt(n *big.Int) error {
	if n == nil {
		return &UnsupportedError{Value: n}
	}
	if n.IsInt64() {
		w.int(n.Int64())
		return nil
	}
	if n.BitLen() >= 8*maxLong {
		return ErrBounds
	}
	w.long(n)
	return nil
}

// long writes a number in little-endian two's complement of the fewest bytes.
func (w *writer) long(n *big.Int) {
	bits := n.BitLen()
	if n.Sign() < 0 {
		bits = new(big.Int).Not(n).BitLen()
	}
	b := make([]byte, bits/8+1)
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) //nolint:gosec // small
	}
	n.FillBytes(b)
	slices.Reverse(b)
	if len(b) < 256 {
		w.write(append([]byte{opLong1, byte(len(b))}, b...)...)
		return
	}
	w.write(append(binary.LittleEndian.AppendUint32([]byte{opLong4}, uint32(len(b))), b...)...) //nolint:gosec // at most maxLong
}

func (w *writer) text(s string, key bool) error {
	single := utf8.RuneCountInString(s) == 1 && s[0] <= 0xc3 || s == ""
	if at, ok := w.texts[s]; ok && (key || single) {
		w.get(at)
		return nil
	}
	if !validText([]byte(s)) {
		s = string([]rune(s)) // what is not UTF-8 becomes U+FFFD
	}
	n := len(s)
	var head []byte
	switch {
	case w.protocol >= 4 && n <= math.MaxUint8:
		head = []byte{opShortBinUnicode, byte(n)}
	case n <= MaxSize:
		head = binary.LittleEndian.AppendUint32([]byte{opBinUnicode}, uint32(n)) //nolint:gosec // at most MaxSize
	default:
		return ErrBounds
	}
	w.payload(head, s)
	at := w.remember()
	if key || single {
		w.texts[s] = at
	}
	return nil
}

func (w *writer) bytes(b []byte) error {
	n := len(b)
	var head []byte
	switch {
	case w.protocol < 3:
		return &UnsupportedError{Value: b}
	case n <= math.MaxUint8:
		head = []byte{opShortBinBytes, byte(n)}
	case n <= MaxSize:
		head = binary.LittleEndian.AppendUint32([]byte{opBinBytes}, uint32(n)) //nolint:gosec // at most MaxSize
	default:
		return ErrBounds
	}
	w.payload(head, string(b))
	w.remember()
	return nil
}

func (w *writer) list(v []any, depth int) error {
	w.write(opEmptyList)
	w.remember()
	if len(v) == 1 {
		if err := w.save(v[0], depth+1, false); err != nil {
			return err
		}
		w.write(opAppend)
		return nil
	}
	for items := range slices.Chunk(v, batch) {
		w.write(opMark)
		for _, item := range items {
			if err := w.save(item, depth+1, false); err != nil {
				return err
			}
		}
		w.write(opAppends)
	}
	return nil
}

func (w *writer) tuple(v Tuple, depth int) error {
	if len(v) == 0 {
		w.write(opEmptyTuple)
		return nil
	}
	if len(v) > 3 {
		w.write(opMark)
	}
	for _, item := range v {
		if err := w.save(item, depth+1, false); err != nil {
			return err
		}
	}
	if len(v) > 3 {
		w.write(opTuple)
	} else {
		w.write(byte(opTuple1 + len(v) - 1))
	}
	w.remember()
	return nil
}

func (w *writer) dict(v Dict, depth int) error {
	w.write(opEmptyDict)
	w.remember()
	if len(v) == 1 {
		if err := w.item(v[0], depth); err != nil {
			return err
		}
		w.write(opSetItem)
		return nil
	}
	// Python's loop ends with an empty batch where the number is a multiple of a batch.
	for rest := v; len(v) > 0; {
		n := min(len(rest), batch)
		w.write(opMark)
		for _, item := range rest[:n] {
			if err := w.item(item, depth); err != nil {
				return err
			}
		}
		w.write(opSetItems)
		rest = rest[n:]
		if n < batch {
			break
		}
	}
	return nil
}

func (w *writer) item(item Item, depth int) error {
	if !keyable(item.Key) {
		return &UnsupportedError{Value: item.Key}
	}
	if err := w.save(item.Key, depth+1, true); err != nil {
		return err
	}
	return w.save(item.Value, depth+1, false)
}

// keyable reports whether Python takes the value for a dict key.
func keyable(v any) bool {
	switch v := v.(type) {
	case []any, Dict:
		return false
	case Tuple:
		return !slices.ContainsFunc(v, func(item any) bool { return !keyable(item) })
	}
	return true
}

// remember puts the value that was just written into the memo.
func (w *writer) remember() int {
	at := w.memo
	w.memo++
	switch {
	case w.protocol >= 4:
		w.write(opMemoize)
	case at <= math.MaxUint8:
		w.write(opBinPut, byte(at))
	default:
		w.write(binary.LittleEndian.AppendUint32([]byte{opLongBinPut}, uint32(at))...) //nolint:gosec // a count
	}
	return at
}

func (w *writer) get(at int) {
	if at <= math.MaxUint8 {
		w.write(opBinGet, byte(at))
		return
	}
	w.write(binary.LittleEndian.AppendUint32([]byte{opLongBinGet}, uint32(at))...) //nolint:gosec // a count
}

func (w *writer) write(b ...byte) {
	if w.framing && w.frame < 0 {
		w.frame = len(w.out)
		w.out = append(w.out, make([]byte, frameHeader)...)
	}
	w.out = append(w.out, b...)
}

// payload writes a string, outside of a frame if it is as long as one.
func (w *writer) payload(head []byte, text string) {
	framing := w.framing
	if len(text) >= frameTarget {
		w.commit()
		w.framing = false
	}
	w.write(head...)
	w.out = append(w.out, text...)
	w.framing = framing
}

// boundary ends a frame that is long enough.
func (w *writer) boundary() {
	if w.framing && w.frame >= 0 && len(w.out)-w.frame-frameHeader >= frameTarget {
		w.commit()
	}
}

// commit ends the frame. One that is too short to be worth it is dissolved.
func (w *writer) commit() {
	if !w.framing || w.frame < 0 {
		return
	}
	n := len(w.out) - w.frame - frameHeader
	if n >= frameMin {
		w.out[w.frame] = opFrame
		binary.LittleEndian.PutUint64(w.out[w.frame+1:], uint64(n)) //nolint:gosec // a length
	} else {
		w.out = append(w.out[:w.frame], w.out[w.frame+frameHeader:]...)
	}
	w.frame = -1
}
