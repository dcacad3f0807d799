package manage

import (
	"reflect"
	"strconv"
	"strings"
)

// A setting in a section of the file, such as servers in [ldap], has the section before its name: ldap.servers, and in the environment
// CARDEA_LDAP_SERVERS.

// fileStruct is the struct that the reader fills: a field for each setting, named by its number, in the struct of its section.
func fileStruct(fields []field) reflect.Type {
	var top []reflect.StructField
	var order []string
	sections := map[string][]reflect.StructField{}
	for i, f := range fields {
		section, name := split(f.name)
		one := reflect.StructField{
			Name: "F" + strconv.Itoa(i),
			Type: reflect.PointerTo(fileType(f.value.Type())),
			Tag:  reflect.StructTag(`toml:"` + name + `"`),
		}
		switch {
		case section == "":
			top = append(top, one)
			continue
		case sections[section] == nil:
			order = append(order, section)
		}
		sections[section] = append(sections[section], one)
	}
	for _, section := range order {
		top = append(top, reflect.StructField{
			Name: sectionField(section), Type: reflect.PointerTo(reflect.StructOf(sections[section])), Tag: reflect.StructTag(`toml:"` + section + `"`),
		})
	}
	return reflect.StructOf(top)
}

func sectionField(section string) string { return "S_" + section }

// fileValue is what the reader has put there for the setting of that number; not valid where there is nothing.
func fileValue(file reflect.Value, name string, i int) reflect.Value {
	if section, _ := split(name); section != "" {
		p := file.FieldByName(sectionField(section))
		if p.IsNil() {
			return reflect.Value{}
		}
		file = p.Elem()
	}
	return file.FieldByName("F" + strconv.Itoa(i))
}

// split takes the section from a name; "" when there is none.
func split(full string) (section, name string) {
	if section, name, ok := strings.Cut(full, "."); ok {
		return section, name
	}
	return "", full
}

// lineOf finds the line on which a setting stands, counting from 1.
func lineOf(text, full string) int {
	section, name := split(full)
	now := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if header, ok := strings.CutPrefix(line, "["); ok && strings.HasSuffix(header, "]") {
			if now = strings.Trim(header, "[] "); now == full { // a table of its own
				return i + 1
			}
			continue
		}
		key, _, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if ok && (now == section && key == name || now == "" && key == full) {
			return i + 1
		}
	}
	return 1
}
