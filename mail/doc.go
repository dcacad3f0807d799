// Package mail sends what a site has to tell its people, in time and without telling anybody else.
//
// A [Message] is one mail to one person; a [Sender] delivers it: [NewConsole] and [NewFile] for development, and package
// smtpmail for a real server. A site does not send while somebody waits for a page: it notes in an [Outbox] what the mail is
// about, in the transaction of what happened, and a [Courier] composes and sends it afterwards, tries again when the mail
// server is slow or down, and parks what nobody accepts. So a mail server neither delays nor reveals anything, and no mail is
// lost when the process is killed.
//
// The outbox never holds a usable link: links are made when a mail is composed. Whoever reads the database, a backup or a list
// of the mails that wait can do nothing with it.
package mail
