package password_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the form of the lists
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/password"
)

// TestFilterRate measures how many unknown passwords are taken for known ones.
func TestFilterRate(t *testing.T) {
	t.Parallel()
	const entries, tries = 50_000, 400_000
	for _, rate := range []float64{0.01, 0.001, 0.0001} {
		f, err := password.NewFilter(entries, rate, "")
		if err != nil {
			t.Fatal(err)
		}
		for i := range entries {
			f.Add("known " + strconv.Itoa(i))
		}
		for i := range entries {
			if !f.Has("known " + strconv.Itoa(i)) {
				t.Fatalf("%d was added and is not known", i)
			}
		}
		wrong := 0
		for i := range tries {
			if f.Has("unknown " + strconv.Itoa(i)) {
				wrong++
			}
		}
		measured := float64(wrong) / tries
		fmt.Printf("filter: asked for %g, computed %.6f, measured %.6f (%d of %d), %.1f bits a password\n",
			rate, f.FalsePositives(), measured, wrong, tries, float64(8*f.Size())/entries)
		if measured > rate*1.5 || measured < rate/2 {
			t.Errorf("measured %v, asked for %v", measured, rate)
		}
		if computed := f.FalsePositives(); computed > rate*1.2 || computed < rate*0.8 {
			t.Errorf("computed %v, asked for %v", computed, rate)
		}
	}
}

func TestFilterHas(t *testing.T) {
	t.Parallel()
	f := breachedSet(t, "tulip", "Gravel", "пароль")
	for text, want := range map[string]bool{
		"tulip": true, "Tulip": true, "TULIP": true, "Gravel": true, "gravel": false, "ПАРОЛЬ": true, "": false, " tulip": false,
	} {
		if got := f.Has(text); got != want {
			t.Errorf("Has(%q) = %v", text, got)
		}
	}
}

func TestFilterFile(t *testing.T) {
	t.Parallel()
	f := breachedSet(t, "tulip", "gravel")
	var file bytes.Buffer
	n, err := f.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("WriteTo = %d, %v, wrote %d", n, err, file.Len())
	}
	path := filepath.Join(t.TempDir(), "breached.filter")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := password.OpenFilter(path)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Has("tulip") || !got.Has("gravel") || got.Has("forty") {
		t.Error("the filter that was read knows other passwords")
	}
	if got.Len() != 2 || got.About() != "a test" || got.Size() != f.Size() || got.FalsePositives() != f.FalsePositives() {
		t.Errorf("read %d %q %d %v", got.Len(), got.About(), got.Size(), got.FalsePositives())
	}
	for i := range file.Len() { // every cut
		if _, err := password.ReadFilter(bytes.NewReader(file.Bytes()[:i])); !errors.Is(err, password.ErrFilter) {
			t.Fatalf("the first %d bytes: %v", i, err)
		}
	}
	for i := range file.Len() { // every damage
		damaged := bytes.Clone(file.Bytes())
		damaged[i] ^= 1
		if _, err := password.ReadFilter(bytes.NewReader(damaged)); !errors.Is(err, password.ErrFilter) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if _, err := password.ReadFilter(strings.NewReader(file.String() + "x")); !errors.Is(err, password.ErrFilter) {
		t.Errorf("one byte more: %v", err)
	}
	if _, err := password.OpenFilter(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := f.WriteTo(&full{room: 100}); err == nil {
		t.Error("a full disk is not noticed")
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAddPwned(t *testing.T) {
	t.Parallel()
	line := func(text string, count int) string {
		return fmt.Sprintf("%X:%d\r\n", sha1.Sum([]byte(text)), count) //nolint:gosec // the form of the lists
	}
	f := breachedSet(t)
	added, err := f.AddPwned(strings.NewReader(line("tulip", 100)+"\n"+line("gravel", 99)+strings.ToLower(line("forty", 3_000_000_000))), 100)
	if added != 2 || err != nil {
		t.Fatalf("AddPwned = %d, %v", added, err)
	}
	for text, want := range map[string]bool{"tulip": true, "gravel": false, "forty": true} {
		if got := f.Has(text); got != want {
			t.Errorf("Has(%q) = %v", text, got)
		}
	}
	for _, bad := range []string{"tulip", "tulip:5", line("x", 1)[1:], "0" + line("x", 1), "zz" + line("x", 1)[2:], ":1", line("x", 1)[:41] + "x"} {
		if _, err := f.AddPwned(strings.NewReader(line("ok", 1)+bad), 1); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNewFilterRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		capacity int
		rate     float64
		about    string
	}{
		{0, 0.1, ""}, {-1, 0.1, ""}, {1, 0, ""}, {1, 1, ""}, {1, -1, ""}, {1 << 40, 0.1, ""}, {1, 0.1, strings.Repeat("x", 5000)},
	} {
		if _, err := password.NewFilter(c.capacity, c.rate, c.about); err == nil {
			t.Errorf("NewFilter(%d, %v) succeeds", c.capacity, c.rate)
		}
	}
}

// FuzzReadFilter: no file makes reading fail otherwise than by ErrFilter, or take more memory than the file has.
func FuzzReadFilter(f *testing.F) {
	filter, err := password.NewFilter(10, 0.01, "seed")
	if err != nil {
		f.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := filter.WriteTo(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte("cardea-filter-1\n" + strings.Repeat("\x00\x00\x00\x3f", 6)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		testhang.Watch(t)
		got, err := password.ReadFilter(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, password.ErrFilter) {
				t.Errorf("%v is not ErrFilter", err)
			}
			return
		}
		got.Has("tulip")
	})
}

func ExampleFilter() {
	// Once: "HASH:COUNT" lines, as Have I Been Pwned publishes them.
	list := strings.NewReader("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n")
	filter, err := password.NewFilter(1_000_000, 0.00001, "Pwned Passwords, those seen 100 times or more")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := filter.AddPwned(list, 100); err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer // os.Create("breached.filter")
	if _, err := filter.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}

	// In the program: password.OpenFilter("breached.filter").
	breached, err := password.ReadFilter(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(breached.Has("password"), breached.Has("tulip gravel forty"))
	// Output: true false
}
