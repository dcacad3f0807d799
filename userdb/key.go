package userdb

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
)

// A KeyType is what the primary keys of users are.
type KeyType int

const (
	// NumberKey is an integer of 32 or 64 bits, in User.ID.
	NumberKey KeyType = iota
	// UUIDKey is a UUID, in User.Key: char(32) as Django makes it, or the database's own type.
	UUIDKey
)

// key returns the key of a user as a parameter for [Dialect.keyMark].
func (t *Table[T]) key(rec *User) any {
	if t.keyType == UUIDKey {
		return t.db.dialect.ownerID(rec.Key)
	}
	return rec.ID
}

// parseKey is key for the text of one, and false for what is nobody's.
func (t *Table[T]) parseKey(id string) (any, bool) {
	if t.keyType == UUIDKey {
		text, ok := canonicalUUID(id)
		return t.db.dialect.ownerID(text), ok
	}
	n, err := strconv.ParseInt(id, 10, 64)
	return n, err == nil
}

// byKey is the condition that a user has the key that is the next argument.
func (t *Table[T]) byKey() string { return t.column(colID) + " = " + t.db.dialect.keyMark(t.keyType) }

// keyMark is the parameter of a key.
func (d *Dialect) keyMark(typ KeyType) string {
	if typ == UUIDKey {
		if d.dollars {
			return "CAST(? AS uuid)"
		}
		return "?"
	}
	return d.bigint()
}

// canonicalUUID brings the text of a UUID into the form that Django writes, and is false for other text.
func canonicalUUID(id string) (string, bool) {
	digits := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	if len(digits) != 32 || !isHex(digits) {
		return "", false
	}
	return hyphened(digits), true
}

func hyphened(digits string) string {
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// newUUID is a random one, of version 4 as Django's uuid4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hyphened(hex.EncodeToString(b[:]))
}
