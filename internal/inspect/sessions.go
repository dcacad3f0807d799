package inspect

import (
	"fmt"
	"strings"
)

const (
	engineModule = "django.contrib.sessions.backends."
	redisCache   = "django.core.cache.backends.redis.RedisCache"
)

// sessions adds where sessions are kept, and what their cookie is like.
func (e *examiner) sessions() {
	e.engine()
	e.copy("sessions")
	e.sameSite("SESSION_COOKIE_SAMESITE")
	if serializer := e.facts.text("SESSION_SERIALIZER"); serializer != "" && serializer != "django.contrib.sessions.serializers.JSONSerializer" {
		e.mismatch("SESSION_SERIALIZER", quoted(serializer), "Cardea takes Django's sessions for empty, and the other way round: who logs in at one is logged out at the other", "use django.contrib.sessions.serializers.JSONSerializer")
	}
}

func (e *examiner) engine() {
	configured := e.facts.text("SESSION_ENGINE")
	s := &e.facts.Session
	engine := ""
	for _, path := range s.Lineage {
		if rest, ok := strings.CutPrefix(path, engineModule); ok {
			engine = strings.TrimSuffix(rest, ".SessionStore")
			break
		}
	}
	custom := configured != engineModule+engine
	salt, _ := s.Salt.(string)
	switch {
	case engine == "" || engine == "base.SessionBase":
		e.mismatch("SESSION_ENGINE", quoted(configured), "Cardea does not know where that keeps sessions: nobody is logged in to both", "use one of django.contrib.sessions.backends")
		return
	case custom && salt != "django.contrib.sessions.SessionStore" && engine != "signed_cookies" && engine != "cache":
		e.mismatch("SESSION_ENGINE", quoted(configured), fmt.Sprintf("it signs sessions with the salt %q, so each side takes the other's sessions for forgeries", salt), `call the class of the engine SessionStore, or set its key_salt = "django.contrib.sessions.SessionStore"`)
	case custom && len(s.Overridden) > 0:
		e.mismatch("SESSION_ENGINE", quoted(configured), "Cardea treats it as "+quoted(engine)+" and does nothing of what it does by itself in "+strings.Join(s.Overridden, ", ")+": sessions may be lost or outlive a log-out", "use "+engineModule+engine+", or look at it with care")
	}
	if table, ok := s.Table.(string); ok && table != "" && table != "django_session" {
		e.mismatch("SESSION_ENGINE", quoted(configured), "it keeps sessions in the table "+quoted(table)+", where Cardea does not look: nobody is logged in to both", "use "+engineModule+engine)
	}
	switch engine {
	case "db":
	case "cache", "cached_db":
		e.cache(engine)
	case "file":
		e.set("session_engine", engine)
		if dir := e.facts.text("SESSION_FILE_PATH"); dir != "" {
			e.set("session_file_path", dir)
		}
	default:
		e.set("session_engine", engine)
	}
}

// cache adds where Redis is. Another cache is not shared with other programs, or not with this one.
func (e *examiner) cache(engine string) {
	c := e.facts.Cache
	means := "Cardea cannot look into that cache: nobody is logged in to both"
	if engine == "cached_db" {
		means = "Cardea cannot look into that cache: who logs out at Cardea stays logged in at Django until the copy there expires, and changes made by Cardea are not seen"
	}
	const cure = "keep sessions in the database (SESSION_ENGINE = \"django.contrib.sessions.backends.db\"), or use Django's own RedisCache"
	has := "no cache"
	if c != nil {
		if has = quoted(c.Path); c.Path == "" && len(c.Lineage) > 0 {
			has = quoted(c.Lineage[0])
		}
		if c.Error != "" {
			has += " (" + c.Error + ")"
		}
	}
	if c == nil || c.Error != "" || !c.is(redisCache) {
		e.mismatch("SESSION_ENGINE", quoted(engineModule+engine)+" with "+has, means, cure)
		return
	}
	if c.KeyFunction != "django.core.cache.backends.base.default_key_func" {
		e.mismatch("CACHES KEY_FUNCTION", quoted(c.KeyFunction), means, "leave KEY_FUNCTION out")
	}
	if c.Options["serializer"] != nil {
		e.mismatch("CACHES OPTIONS serializer", asJSON(c.Options["serializer"]), means, "leave the serializer out")
	}
	e.set("session_engine", engine)
	e.set("redis_url", e.redis(c))
	if c.KeyPrefix != "" {
		e.set("redis_key_prefix", c.KeyPrefix)
	}
	if c.Version != 1 {
		e.set("redis_key_version", int64(c.Version))
	}
	if c.Alias != "default" {
		e.set("session_cache_alias", c.Alias)
	}
}

// redis is the first of the servers, to which Django writes.
func (e *examiner) redis(c *Cache) string {
	location := fmt.Sprint(c.Location)
	if many, ok := c.Location.([]any); ok && len(many) > 0 {
		location = fmt.Sprint(many[0])
	}
	location, _, _ = strings.Cut(location, ",")
	location, _, _ = strings.Cut(location, ";")
	location = strings.TrimSpace(location)
	for _, option := range []string{"db", "username", "password"} {
		if c.Options[option] != nil {
			e.mismatch("CACHES OPTIONS "+option, "set", "Cardea takes it from LOCATION only, and may look elsewhere", "write it into LOCATION, redis://USER:PASSWORD@HOST:PORT/NUMBER")
		}
	}
	return location
}
