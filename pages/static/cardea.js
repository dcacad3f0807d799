// Nothing here is needed. A button shows a password, which goes back to dots when the form is sent.
for (const box of document.querySelectorAll(".reveal")) {
  const input = box.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Show";
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-label", "Show the password");
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide" : "Show";
  };
  button.addEventListener("click", () => set(input.type === "password"));
  input.form.addEventListener("submit", () => set(false));
  box.append(button);
}
// A form that is sent twice by a double click is sent once.
for (const form of document.forms) {
  let sent = -Infinity;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - sent < 1500) event.preventDefault();
    else sent = event.timeStamp;
  });
}
