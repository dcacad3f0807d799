package manage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/cardea-go/cardea/internal/inspect"
)

type inspectCommand struct {
	Facts   string `arg:"" optional:"" help:"What the script printed, or - for standard input." placeholder:"FILE"`
	Script  bool   `help:"Print the script that makes the facts; \"python manage.py shell\" runs it."`
	Project string `help:"Run the script itself: the folder with manage.py." placeholder:"DIR"`
	Python  string `help:"The project's Python. Defaults to that of .venv or venv in the project, or python3." placeholder:"PATH"`
	Out     string `help:"Write the configuration to a new file that only its owner can read." placeholder:"FILE.toml"`
	Check   bool   `help:"Compare the configuration in force (--config) with the project, and end with status 1 where they differ."`
}

func (c *inspectCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if c.Script {
		_, err := io.WriteString(p.Stdout, inspect.Script)
		return err
	}
	facts, err := c.read(ctx, p)
	if err != nil {
		return err
	}
	report, err := inspect.Examine(facts)
	if err != nil {
		return err
	}
	matching, err := settingsOf(report)
	if err != nil {
		return err
	}
	if c.Check {
		return c.check(p, s, matching, report)
	}
	for _, f := range report.Findings {
		f.Write(p.Stderr)
	}
	return c.write(p, report.TOML())
}

// read gets the facts from where they are.
func (c *inspectCommand) read(ctx context.Context, p *Program) (*inspect.Facts, error) {
	switch {
	case c.Project != "" && c.Facts != "":
		return nil, errors.New("name a file with facts or a --project, not both")
	case c.Project != "":
		out, err := c.ask(ctx)
		if err != nil {
			return nil, err
		}
		return inspect.Read(bytes.NewReader(out))
	case c.Facts == "-":
		return inspect.Read(p.Stdin)
	case c.Facts != "":
		f, err := os.Open(c.Facts)
		if err != nil {
			return nil, fmt.Errorf("cannot read the facts in %s: %w", c.Facts, errors.Unwrap(err))
		}
		defer f.Close()
		return inspect.Read(f)
	}
	return nil, errors.New(`name the Django project with --project DIR, or a file with its facts: "cardea inspect-django --script > facts.py", "python manage.py shell < facts.py > facts.json", "cardea inspect-django facts.json"`)
}

// ask runs the script in the project.
func (c *inspectCommand) ask(ctx context.Context) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(c.Project, "manage.py")); err != nil {
		return nil, fmt.Errorf("there is no manage.py in %s: name the folder of a Django project with --project", c.Project)
	}
	python := c.Python
	for _, own := range []string{".venv/bin/python", "venv/bin/python", ".venv/Scripts/python.exe", "venv/Scripts/python.exe"} {
		if path, err := filepath.Abs(filepath.Join(c.Project, own)); python == "" && err == nil {
			if _, err := os.Stat(path); err == nil {
				python = path
			}
		}
	}
	if python == "" {
		python = "python3"
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, python, "manage.py", "shell", "--verbosity", "0", "--command", inspect.Script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Project, &out, &errs
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(errs.String())
		said = strings.TrimSpace(said[strings.LastIndex(said, "\n")+1:])
		if said == "" {
			said = err.Error()
		}
		return nil, fmt.Errorf("%s manage.py shell in %s: %s; name the Python that runs the project with --python", python, c.Project, said)
	}
	return out.Bytes(), nil
}

// write prints the configuration, or puts it into a file that was not there.
func (c *inspectCommand) write(p *Program, text string) error {
	if c.Out == "" {
		if f, ok := p.Stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(p.Stderr, "note: this shows the secret key of the site on your screen; --out FILE.toml writes it to a file that only you can read")
		}
		_, err := io.WriteString(p.Stdout, text)
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is left as it is: name another file with --out, or move it away", c.Out)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", c.Out, errors.Unwrap(err))
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(c.Out)
		return fmt.Errorf("cannot write %s: %w", c.Out, err)
	}
	fmt.Fprintf(p.Stdout, "Wrote %s, with the secret key of the site; only you can read it.\n", c.Out)
	return nil
}

// settingsOf reads the configuration of a report as serve would. Where serve would refuse it, no configuration can match.
func settingsOf(report *inspect.Report) (*Settings, error) {
	s := defaults()
	if err := s.readText("the configuration", report.TOML()); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}
