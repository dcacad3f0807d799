package inspect

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// database adds where the users are.
func (e *examiner) database() error {
	d := &e.facts.Database
	switch d.Vendor {
	case "sqlite":
		if err := e.sqlite(d); err != nil {
			return err
		}
	case "postgresql":
		e.set("db", postgres(d))
		if role := d.Options["assume_role"]; role != nil {
			e.mismatch("DATABASES OPTIONS assume_role", fmt.Sprint(role), "Cardea works as the user who logs in to the database, who may not be allowed what Django is", "let the user of the database have that role by default, with ALTER ROLE … SET ROLE")
		}
	case "mysql":
		e.set("db", mysql(d))
		if file := d.Options["read_default_file"]; file != nil {
			e.mismatch("DATABASES OPTIONS read_default_file", fmt.Sprint(file), "Cardea does not read that file, and may try another server, user or password", "write what the file says into db, as mysql://USER:PASSWORD@HOST:PORT/NAME")
		}
	default:
		return fmt.Errorf("the users are in a database of the kind %q (%s), which Cardea does not speak: it speaks PostgreSQL, MySQL, MariaDB and SQLite", d.Vendor, d.Engine)
	}
	if d.SessionsAlias != "" && d.SessionsAlias != d.Alias {
		e.mismatch("DATABASE_ROUTERS", fmt.Sprintf("%q for users, %q for sessions", d.Alias, d.SessionsAlias), "Cardea keeps sessions beside the users, so that nobody is logged in to both", "let the router put django.contrib.sessions into the database of the users")
	}
	if d.Vendor != "postgresql" && d.TimeZone != "" && d.TimeZone != "UTC" {
		e.mismatch("DATABASES TIME_ZONE", quoted(d.TimeZone), "times in the database are not in UTC: sessions end at other times in Cardea, and reset links of one are dead at the other", "take TIME_ZONE out of DATABASES, after moving the times that are there to UTC")
	}
	return nil
}

func (e *examiner) sqlite(d *Database) error {
	switch {
	case d.Name == ":memory:" || strings.Contains(d.Name, "mode=memory"):
		return fmt.Errorf("the database is in Django's memory (%s), where no other program can see it: give it a file", d.Name)
	case strings.HasPrefix(d.Name, "file:"):
		name, query, _ := strings.Cut(strings.TrimPrefix(d.Name, "file:"), "?")
		if strings.HasPrefix(name, "//") {
			if u, err := url.Parse(d.Name); err == nil {
				name = u.Path
			}
		} else if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
		e.set("db", "sqlite:"+name)
		if query != "" {
			e.mismatch("DATABASES NAME", quoted(d.Name), "Cardea opens the file without what stands behind the question mark", "name the file alone")
		}
	default:
		e.set("db", "sqlite:"+d.Name)
	}
	return nil
}

// libpq are the options of a connection that have the same name and meaning in the URL.
var libpq = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "service", "servicefile", "connect_timeout", "options", "target_session_attrs", "application_name"}

func postgres(d *Database) string {
	q := url.Values{}
	for _, name := range libpq {
		if v := d.Options[name]; v != nil {
			q.Set(name, fmt.Sprint(v))
		}
	}
	u := url.URL{Scheme: "postgres", User: userinfo(d), Path: "/" + d.Name}
	switch {
	case strings.HasPrefix(d.Host, "/") || strings.ContainsAny(d.Host, "@,%"): // a socket, or several hosts
		q.Set("host", d.Host)
		if d.Port != "" {
			q.Set("port", d.Port)
		}
	default:
		u.Host = hostPort(d.Host, d.Port)
		if d.Host == "" && d.Port != "" {
			u.Host = ""
			q.Set("port", d.Port)
		}
	}
	return finish(u, q)
}

func mysql(d *Database) string {
	q := url.Values{}
	u := url.URL{Scheme: "mysql", User: userinfo(d), Path: "/" + d.Name}
	socket, _ := d.Options["unix_socket"].(string)
	if strings.HasPrefix(d.Host, "/") {
		socket = d.Host
	}
	if found, ok := d.Socket.(string); ok && socket == "" {
		socket = found
	}
	if socket != "" {
		q.Set("socket", socket)
	} else {
		u.Host = hostPort(d.Host, d.Port)
	}
	if d.Options["ssl"] != nil || d.Options["ssl_mode"] != nil {
		q.Set("tls", "true")
	}
	return finish(u, q)
}

func userinfo(d *Database) *url.Userinfo {
	switch {
	case d.User == "":
		return nil
	case d.Password == "":
		return url.User(d.User)
	}
	return url.UserPassword(d.User, d.Password)
}

func hostPort(host, port string) string {
	switch {
	case port != "":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// finish spells a URL whose host may be empty, which net/url would leave out together with its slashes.
func finish(u url.URL, q url.Values) string {
	u.RawQuery = q.Encode()
	if u.Host == "" && u.User == nil {
		return u.Scheme + "://" + u.EscapedPath() + ifAny("?", u.RawQuery)
	}
	return u.String()
}

func ifAny(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}
