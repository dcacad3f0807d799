// Package smtpmail sends mail to a mail server by SMTP, encrypted by default.
//
//	sender, err := smtpmail.New(smtpmail.Config{Host: "smtp.example.com", Port: 587, Username: "site", Password: secret})
//	site, err := cardea.New(db, cardea.Config{Mail: sender, …})
//
// It is the only package of Cardea that imports a mail library, github.com/wneessen/go-mail.
package smtpmail
