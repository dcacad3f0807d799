package browser_test

import (
	"database/sql"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestKilledBeforeTheMail: the program answers "a mail is on its way" and is killed, before or in the middle of handing the mail
// over. After a restart exactly one mail arrives, its link works, and no link ever stood in the database.
func TestKilledBeforeTheMail(t *testing.T) {
	t.Parallel()
	for title, bad := range map[string]day{"between two tries": refuses, "while it sends": hangs} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			post := newPostOffice(t, bad, bad, bad)
			s := serve(t, append(post.settings(), harness.CheapHashing, "CARDEA_EMAIL_TIMEOUT=60")...)
			makeUser(t, s.dir, "sqlite:cardea.db", harness.CheapHashing)
			b := open(t, s.url)
			b.visit("/accounts/password_reset/")
			b.write("email", email)
			b.pressUnmailed("Send the mail", post)
			b.at("/accounts/password_reset/done/")
			box := newOutbox(t, s.dir)
			harness.Eventually(t, "a first try", harness.Patience, func() bool {
				return post.treated(bad) == 1 && (bad == hangs || box.count("last_error <> ''") == 1)
			})
			s.Kill(t)
			if got := box.count("tries = 1"); got != 1 {
				t.Fatalf("%d mails wait after one try, want 1", got)
			}
			// The minute for which the dead process holds the mail passes, or the time until the next try.
			box.do("UPDATE cardea_outbox SET due_at = created_at, claimed_until = CASE WHEN claimed_until IS NULL THEN NULL ELSE created_at END")

			mails := folder(t.TempDir())
			p := harness.Start(t, harness.Command{
				Path: harness.Cardea(t), Args: []string{"serve", "--addr", "127.0.0.1:0"}, Dir: s.dir,
				Env: append(mails.settings(), placesToHash, harness.CheapHashing), Ready: harness.Answers,
			})
			link := awaitLetter(t, mails, email, "eset", 1).link(t)
			harness.Eventually(t, "the outbox is empty", harness.Patience, func() bool { return box.count("1 = 1") == 0 })
			box.lacks(path.Base(path.Clean(link)))
			b = open(t, p.Ready()[1])
			b.visit(link)
			b.newPassword("new_password", secret2, secret2)
			b.press("Set the password")
			b.at("/accounts/reset/done/")
			awaitLetter(t, mails, email, "was changed", 1)
			p.Stop(t)
			if got := len(mails.letters(t)); got != 2 { // the link, and that the password was changed
				t.Errorf("%d mails, want 2: %q", got, mails.letters(t))
			}
			if got := post.letters(t); len(got) != 0 {
				t.Errorf("the first mail server accepted %q", got)
			}
		})
	}
}

// An outbox looks into the database of a site, as another program.
type outbox struct {
	t    *testing.T
	dir  string
	pool *sql.DB
}

func newOutbox(t *testing.T, dir string) outbox {
	t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "cardea.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return outbox{t, dir, pool}
}

func (o outbox) count(where string) (n int) {
	o.t.Helper()
	if err := o.pool.QueryRow("SELECT COUNT(*) FROM cardea_outbox WHERE " + where).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o outbox) do(statement string) {
	o.t.Helper()
	if _, err := o.pool.Exec(statement); err != nil {
		o.t.Fatal(err)
	}
}

// nextTry waits until sending a mail has failed, and lets the time pass until it is tried again.
func (o outbox) nextTry() {
	o.t.Helper()
	harness.Eventually(o.t, "a mail fails", harness.Patience, func() bool { return o.count("last_error <> '' AND claimed_until IS NULL") == 1 })
	o.do("UPDATE cardea_outbox SET due_at = created_at")
}

// lacks fails the test if the files of the database hold the text anywhere, in pages that are no longer used too.
func (o outbox) lacks(text string) {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, "cardea.db*"))
	if err != nil || len(files) == 0 {
		o.t.Fatalf("no database in %s (%v)", o.dir, err)
	}
	known := false
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			o.t.Fatal(err)
		}
		if strings.Contains(string(content), text) {
			o.t.Errorf("%s holds %q", filepath.Base(file), text)
		}
		known = known || strings.Contains(string(content), email)
	}
	if !known { // the control
		o.t.Errorf("the database does not even hold %q", email)
	}
}
