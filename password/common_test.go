package password_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/password"
)

func TestCommonHas(t *testing.T) {
	t.Parallel()
	common := password.NewCommon()
	for _, c := range []struct {
		text string
		want bool
	}{
		{"password", true},
		{" PassWord\n", true},
		{"пароль", true},
		{"ПАРОЛЬ", true},
		{"passw0rd", true},
		{"p4ssword", true},
		{"P@$$W0RD", true},
		{"michae1", true}, // a 1 for an l
		{"mich4el", true},
		{"1234sunshine", true},
		{"sunshine1987", true},
		{"sunshine!!!", true},
		{"sunshine12345678", true},
		{"sunshine48213", false},
		{"(sunshine)", true},
		{"enihsnus", true},
		{"sunshinesunshine", true},
		{"mysunshine", true},
		{"my-sunshine", true},
		{"sunshine_love2024", true},
		{"octopusgiraffe", false}, // neither stands beside everything
		{"correct horse battery staple", true},
		{"correct horse battery staples", false},
		{"1qaz2wsx", true},
		{"zaq12wsx", true},
		{"qweasdzxc", true},
		{"asdfjkl;", true},
		{"poiuytrewq", true},
		{"йцукен", true},
		{"112233", true},
		{"111222333", true},
		{"aabbcc", true},
		{"a123456789", true},
		{"19871987", true},
		{"31121999", true},
		{"12311999", true},
		{"19991231", true},
		{"99311299", false},
		{"48213907", false},
		{strings.Repeat("ab", 500), true},
		{strings.Repeat("password", 500), true},
		{strings.Repeat("a1b7c9x2", 500), false},
		{"", false},
		{"   ", false},
		{"x", false},
		{"\xff", false},
		{"vog7trelk", false},
	} {
		if got := common.Has(c.text); got != c.want {
			t.Errorf("Has(%.40q) = %v", c.text, got)
		}
	}
}

// TestCommonFitsEveryMinimum: for every minimum length from 8 to 20 there are more than 3,000 common passwords of that length or more,
// and all of them are refused (OWASP ASVS 5.0, V6.2.4). They are made here from the words in the folder, not by the code under test.
func TestCommonFitsEveryMinimum(t *testing.T) {
	t.Parallel()
	common := password.NewCommon()
	read := func(name string) []string {
		raw, err := os.ReadFile(filepath.Join("common", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for line := range strings.Lines(string(raw)) {
			if !strings.HasPrefix(line, "#") {
				words = append(words, strings.Fields(line)...)
			}
		}
		return words
	}
	all, glue := map[string]bool{}, read("top")
	for _, name := range []string{"top", "words", "names", "places", "phrases", "foreign"} {
		for _, word := range read(name) {
			all[word] = true
		}
	}
	if len(all) != common.Words() {
		t.Fatalf("%d words in the folder, %d compiled in", len(all), common.Words())
	}
	page, err := os.ReadFile("../docs/passwords.md")
	if err != nil {
		t.Fatal(err)
	}
	if size := fmt.Sprintf("%d,%03d words", len(all)/1000, len(all)%1000); !strings.Contains(string(page), size) {
		t.Errorf("docs/passwords.md does not say %q", size)
	}
	if size := fmt.Sprintf("one of the %d in `top.txt`", len(glue)); !strings.Contains(string(page), size) {
		t.Errorf("docs/passwords.md does not say %q", size)
	}
	made := map[string]bool{}
	for word := range all {
		made[word] = made[word] || len(word) >= 3
		if len(word) < 3 {
			continue
		}
		for _, form := range []string{"%s1", "%s123", "%s2024!", "1985%s", "%[1]s%[1]s", "love%s", "%s.password", "my %s 12"} {
			made[fmt.Sprintf(form, word)] = true
		}
		for _, other := range glue[:20] {
			made[word+other+"123456"] = true
		}
	}
	of := [21]int{}
	refused := 0
	for candidate := range made {
		if len(candidate) >= 3 && !common.Has(candidate) {
			t.Errorf("%q is not known", candidate)
			if refused++; refused > 20 {
				t.FailNow()
			}
		}
		for n := range min(len(of)-1, utf8.RuneCountInString(candidate)) + 1 {
			of[n]++
		}
	}
	for n := 8; n < len(of); n++ {
		if of[n] < 3000 {
			t.Errorf("%d common passwords of %d characters or more", of[n], n)
		}
	}
	fmt.Printf("common: %d words; of the forms tried %d have 8 characters or more, %d have 15, %d have 20\n", common.Words(), of[8], of[15], of[20])
}

// TestCommonTakesRandom: what a password manager makes is hardly ever refused.
func TestCommonTakesRandom(t *testing.T) {
	t.Parallel()
	common := password.NewCommon()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same passwords each time
	const letters, digits, marks = "abcdefghijklmnopqrstuvwxyz", "0123456789", "!@#$%^&*-_"
	for _, c := range []struct {
		alphabet string
		length   int
		most     int // of 20,000
	}{
		{letters + strings.ToUpper(letters) + digits + marks, 8, 20},
		{letters + strings.ToUpper(letters) + digits + marks, 12, 1},
		{letters + digits, 8, 20},
		{letters + digits, 15, 0},
		{letters, 8, 4},
		{digits, 8, 80}, // dates
		{digits, 20, 0},
	} {
		refused := 0
		for range 20_000 {
			b := make([]byte, c.length)
			for i := range b {
				b[i] = c.alphabet[random.IntN(len(c.alphabet))]
			}
			if common.Has(string(b)) {
				refused++
			}
		}
		fmt.Printf("common: of 20000 random passwords of %d out of %d characters %d are refused\n", c.length, len(c.alphabet), refused)
		if refused > c.most {
			t.Errorf("%d refused, want %d at most", refused, c.most)
		}
	}
}

// TestCommonKnowsDjangosList measures the rules against a list of passwords that people did choose.
func TestCommonKnowsDjangosList(t *testing.T) {
	t.Parallel()
	path := djangoList(t)
	if path == "" {
		t.Skip("needs Django's list")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(unpacked); err != nil {
		t.Fatal(err)
	}
	common := password.NewCommon()
	entries, known := 0, 0
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSpace(line); utf8.RuneCountInString(line) < 8 {
			continue
		}
		entries++
		if common.Has(line) {
			known++
		}
	}
	fmt.Printf("common: knows %d of the %d entries of Django's list that have 8 characters or more\n", known, entries)
	list, err := password.OpenList(path)
	if err != nil {
		t.Fatal(err)
	}
	all := password.Entries(list)
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(all, "\n")))); len(all) != 19_640 ||
		sum != "b07157b3926b3e61f4c09c178aabaf4adff31d90a2314be35a0cae5b53e8e03e" {
		t.Errorf("read %d entries with the sum %s from Django's list", len(all), sum)
	}
	if entries != 8_354 || known*100 < entries*65 {
		t.Errorf("knows %d of %d, want 65 percent of 8354", known, entries)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	text := "letmein\r\n  tulip \r\u0130stanbul\nlast"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{text, packed.String()} {
		list, err := password.ReadList(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if list.Len() != 4 {
			t.Errorf("%d entries", list.Len())
		}
		for text, want := range map[string]bool{
			"letmein": true, "\x1cLETMEIN ": true, "Tulip": true, "last": true, "letmein1": false, "": false,
			"\u0130stanbul": false, // the list holds it in upper case, which nothing lowered is
		} {
			if got := list.Has(text); got != want {
				t.Errorf("Has(%q) = %v", text, got)
			}
		}
	}
	for _, bad := range []string{"\xff\n", packed.String()[:packed.Len()-6], "\x1f\x8bno"} {
		if _, err := password.ReadList(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadList(%q) succeeds", bad)
		}
	}
}

// FuzzCommon: no text makes Has fail or take long, and blanks and case around it change nothing.
func FuzzCommon(f *testing.F) {
	common := password.NewCommon()
	for _, seed := range []string{"password1", "1qaz2wsx", "112233", "31121999", "йцукен", "((((1234))))", strings.Repeat("a1", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		got := common.Has(text)
		if around := common.Has("\t" + text + "\u3000"); around != got {
			t.Errorf("Has(%q) = %v, with blanks around it %v", text, got, around)
		}
	})
}
