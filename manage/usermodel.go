package manage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/userdb"
)

// userModelSettings say where the users of a Django site with a model of its own are. What they leave open is found in the database.
type userModelSettings struct {
	AuthUserModel        string            `setting:"auth_user_model" fallback:"\"auth.User\""`
	UserTable            string            `setting:"user_table" fallback:"(by auth_user_model)"`
	UsernameField        string            `setting:"username_field" fallback:"\"username\""`
	EmailField           string            `setting:"email_field" fallback:"\"email\""`
	UserColumns          map[string]string `setting:"user_columns" fallback:"(Django's names, those that are there)"`
	UserDefaults         map[string]string `setting:"user_defaults"`
	UserGroupsTable      string            `setting:"user_groups_table" fallback:"(by user_table)"`
	UserPermissionsTable string            `setting:"user_permissions_table" fallback:"(by user_table)"`
}

// checkUserModel refuses what cannot be meant.
func (s *Settings) checkUserModel() error {
	_, err := s.userTable()
	return err
}

// userTable is the table of users as the settings say; nil for Django's own.
func (s *Settings) userTable() (*userdb.TableConfig[userdb.User], error) {
	app, model, ok := strings.Cut(s.AuthUserModel, ".")
	switch {
	case s.AuthUserModel == "":
		for name, set := range map[string]bool{
			"user_table": s.UserTable != "", "username_field": s.UsernameField != "", "email_field": s.EmailField != "",
			"user_columns": len(s.UserColumns) > 0, "user_defaults": len(s.UserDefaults) > 0,
			"user_groups_table": s.UserGroupsTable != "", "user_permissions_table": s.UserPermissionsTable != "",
		} {
			if set {
				return nil, s.wrong(name, "counts only with auth_user_model, such as \"shop.Customer\": set that to the AUTH_USER_MODEL of the Django site")
			}
		}
		return nil, nil
	case !ok || app == "" || model == "" || strings.Contains(model, "."):
		return nil, s.wrong("auth_user_model", "must be APP.MODEL, such as \"shop.Customer\"")
	}
	cfg := &userdb.TableConfig[userdb.User]{
		Name: s.UserTable, Model: strings.ToLower(model), Defaults: s.UserDefaults, Groups: s.UserGroupsTable, Permissions: s.UserPermissionsTable,
	}
	if cfg.Name == "" {
		cfg.Name = app + "_" + strings.ToLower(model)
	}
	columns := map[string]*string{
		"id": &cfg.Columns.ID, "password": &cfg.Columns.Password, "last_login": &cfg.Columns.LastLogin, "is_superuser": &cfg.Columns.IsSuperuser,
		"username": &cfg.Columns.Username, "first_name": &cfg.Columns.FirstName, "last_name": &cfg.Columns.LastName, "email": &cfg.Columns.Email,
		"is_staff": &cfg.Columns.IsStaff, "is_active": &cfg.Columns.IsActive, "date_joined": &cfg.Columns.DateJoined,
	}
	for name, column := range s.UserColumns {
		field := columns[name]
		if field == nil {
			return nil, s.wrong("user_columns", fmt.Sprintf("knows no field %q: they are %s", name, strings.Join(slices.Sorted(maps.Keys(columns)), ", ")))
		}
		if column == "" {
			return nil, s.wrong("user_columns", fmt.Sprintf("names no column for %s; \"-\" says that the model has none", name))
		}
		*field = column
	}
	for _, one := range [...]struct{ setting, column, field string }{{"username_field", s.UsernameField, "username"}, {"email_field", s.EmailField, "email"}} {
		field := columns[one.field]
		if one.column != "" && *field != "" && *field != one.column {
			return nil, s.wrong(one.setting, fmt.Sprintf("is %q, and user_columns says %q: leave one of them out", one.column, *field))
		}
		if one.column != "" {
			*field = one.column
		}
	}
	return cfg, nil
}

// withUsers lets the database know its table of users.
func (s *Settings) withUsers(ctx context.Context, db *userdb.DB) (*userdb.DB, error) {
	cfg, err := s.userTable()
	if err != nil || cfg == nil {
		return db, err
	}
	if plain := (userdb.TableConfig[userdb.User]{Name: "auth_user", Model: "user"}); reflect.DeepEqual(*cfg, plain) {
		return db, nil // which may still have to be made
	}
	users, err := userdb.FitTable(ctx, db, *cfg)
	if err != nil {
		return nil, s.wrong("auth_user_model", fmt.Sprintf("%q: %s", s.AuthUserModel, strings.TrimPrefix(err.Error(), "userdb: ")))
	}
	return db.WithUsers(users), nil
}

// nameProblem brings a typed name of a new user into the form that is stored, and says what is wrong with it, or "". Whether somebody has
// it is another question.
func nameProblem(db *userdb.DB, typed string) (name, problem string) {
	shape := db.Users().Accounts().Shape
	switch name, err := auth.CleanUsername(typed, shape.NameLength); {
	case errors.Is(err, auth.ErrNameTooLong):
		return typed, fmt.Sprintf("This user name is too long. Choose one of at most %d characters.", shape.NameLength)
	case errors.Is(err, auth.ErrNameMissing) && shape.NameIsEmail:
		return typed, "The e-mail address cannot be blank: it is the user name."
	case errors.Is(err, auth.ErrNameMissing):
		return typed, "The user name cannot be blank."
	case shape.NameIsEmail:
		if name = auth.NormalizeEmail(name); err != nil || !auth.ValidEmail(name) {
			return typed, fmt.Sprintf("%q is not an e-mail address such as ada@example.com, which the user name has to be.", typed)
		}
		return name, ""
	case err != nil || !shape.FreeName && !auth.ValidUsername(name):
		return typed, "A user name holds only letters, numbers, and @/./+/-/_ characters."
	default:
		return name, ""
	}
}

// whatToAsk is what a command calls the user name.
func whatToAsk(db *userdb.DB) string {
	if db.Users().NameIsEmail() {
		return "E-mail address"
	}
	return "Username"
}
