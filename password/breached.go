package password

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // the form in which lists of breached passwords are published
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/internal/pytext"
)

// A Filter is a [Set] of very many passwords in little room: a Bloom filter over their SHA-1 hashes. It knows every password that was
// added and takes some others for known, see [Filter.FalsePositives]; for a rule about new passwords that is an inconvenience and no
// more. It asks no one and tells no one.
//
// A filter is made once, from a list that the site may use, saved with [Filter.WriteTo], and loaded with [OpenFilter]. It may be asked
// concurrently, but not while something is added.
type Filter struct {
	words  []uint64 // the bits
	size   uint64   // how many bits are used
	hashes int      // bits for each password
	count  uint64
	about  string
}

// The bounds of a filter: 8 GiB, and a note that fits on a page.
const (
	maxFilterBits  = 1 << 36
	maxFilterAbout = 4096
	maxHashes      = 64
)

// NewFilter returns an empty filter with room for capacity passwords, of which, when they are in, the given part of all others are
// taken for known: 0.00001 takes 24 bits a password. About says where the passwords are from, when, and by which licence.
func NewFilter(capacity int, falsePositives float64, about string) (*Filter, error) {
	switch {
	case capacity < 1:
		return nil, fmt.Errorf("password: filter: the capacity is %d", capacity)
	case !(falsePositives > 0 && falsePositives < 1):
		return nil, fmt.Errorf("password: filter: the part of false positives is %v, and must be between 0 and 1", falsePositives)
	case len(about) > maxFilterAbout:
		return nil, fmt.Errorf("password: filter: the note is longer than %d bytes", maxFilterAbout)
	}
	perEntry := -math.Log2(falsePositives) / math.Ln2
	size := math.Ceil(perEntry * float64(capacity))
	if size > maxFilterBits {
		return nil, fmt.Errorf("password: filter: %d passwords at %v take more than %d GiB", capacity, falsePositives, maxFilterBits>>33)
	}
	f := &Filter{size: max(64, uint64(size)), about: about}
	f.hashes = min(maxHashes, max(1, int(math.Round(perEntry*math.Ln2))))
	f.words = make([]uint64, (f.size+63)/64)
	return f, nil
}

// Add adds a password.
func (f *Filter) Add(password string) { f.AddSHA1(sha1.Sum([]byte(password))) } //nolint:gosec // see the import

// AddSHA1 adds a password by its hash.
func (f *Filter) AddSHA1(sum [sha1.Size]byte) {
	for bit := range f.bits(sum) {
		f.words[bit/64] |= 1 << (bit % 64)
	}
	f.count++
}

// AddPwned adds the passwords of a list in the form of Have I Been Pwned, "HASH:COUNT" with the SHA-1 hash in hexadecimal and how often the
// password was seen, of those that were seen at least so often. It returns how many. A line of another form is an error.
func (f *Filter) AddPwned(r io.Reader, least int) (added int, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimPrefix(strings.TrimSpace(lines.Text()), "\ufeff")
		if line == "" {
			continue
		}
		text, times, _ := strings.Cut(line, ":")
		seen, err := strconv.Atoi(times)
		var sum [sha1.Size]byte
		if size, bad := hex.Decode(sum[:], []byte(text[:min(len(text), 2*len(sum))])); err != nil || bad != nil || size != len(sum) || len(text) != 2*size {
			return added, fmt.Errorf("password: filter: line %d is not a SHA-1 hash, a colon and a number", n)
		}
		if seen >= least {
			f.AddSHA1(sum)
			added++
		}
	}
	if err := lines.Err(); err != nil {
		return added, fmt.Errorf("password: filter: %w", err)
	}
	return added, nil
}

// Has tells whether the password, as it is or in lower case, was added, and now and then says so of one that was not.
func (f *Filter) Has(password string) bool {
	if f.has(password) {
		return true
	}
	lower := pytext.Lower(password)
	return lower != password && f.has(lower)
}

func (f *Filter) has(password string) bool {
	for bit := range f.bits(sha1.Sum([]byte(password))) { //nolint:gosec // see the import
		if f.words[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// bits yields the bits of a password: a sequence of steps that grow, made of the hash, which is as good as random.
func (f *Filter) bits(sum [sha1.Size]byte) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		at, step := binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
		for i := range uint64(f.hashes) {
			bit, _ := bits.Mul64(at, f.size)
			if !yield(bit) {
				return
			}
			at += step
			step += i + 1
		}
	}
}

// Len is how many passwords were added.
func (f *Filter) Len() int { return int(min(f.count, math.MaxInt)) } //nolint:gosec // bounded

// Size is how many bytes the filter takes.
func (f *Filter) Size() int { return 8 * len(f.words) }

// About is the note about where the passwords are from.
func (f *Filter) About() string { return f.about }

// FalsePositives is the part of unknown passwords that are taken for known, computed from the bits that are set.
func (f *Filter) FalsePositives() float64 {
	set := 0
	for _, w := range f.words {
		set += bits.OnesCount64(w)
	}
	return math.Pow(float64(set)/float64(f.size), float64(f.hashes))
}

// ErrFilter says that a file is no filter, or damaged.
var ErrFilter = errors.New("password: not a filter file, or a damaged one")
