package cardeatest

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// A form is one form of a page, with the values that a browser would send.
type form struct {
	method, action string
	values         url.Values
	names          map[string]bool // of the fields that can be filled in
	buttons        map[string]bool // by label
}

// parseForms lists the forms of a page in order.
func parseForms(page string) []*form {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil
	}
	var forms []*form
	var walk func(n *html.Node, in *form)
	walk = func(n *html.Node, in *form) {
		if n.Type == html.ElementNode {
			if n.Data == "form" {
				in = &form{method: strings.ToUpper(attribute(n, "method")), action: attribute(n, "action"), values: url.Values{}, names: map[string]bool{}, buttons: map[string]bool{}}
				if in.method == "" {
					in.method = http.MethodGet
				}
				forms = append(forms, in)
			}
			if in != nil {
				in.add(n)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, in)
		}
	}
	walk(root, nil)
	return forms
}

func (f *form) add(n *html.Node) {
	name := attribute(n, "name")
	switch n.Data {
	case "button":
		f.buttons[strings.TrimSpace(text(n))] = true
	case "textarea":
		f.names[name] = true
		f.values.Add(name, strings.TrimPrefix(text(n), "\n"))
	case "input":
		if name == "" {
			return
		}
		f.names[name] = true
		kind := attribute(n, "type")
		if (kind == "checkbox" || kind == "radio") && !has(n, "checked") {
			return
		}
		f.values.Add(name, attribute(n, "value"))
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		} else {
			b.WriteString(text(c))
		}
	}
	return b.String()
}
