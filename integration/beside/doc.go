// Package beside puts a real Django site and a real Cardea on one database and behind one origin, as a company does that moves from the
// one to the other or keeps both. Its tests are the stories of a person who cannot tell which of them answers.
package beside
