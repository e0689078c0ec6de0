// What needs a script: keys and passkeys, copying, and what stands in the fragment of a link.

const SENTENCES = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again when you are ready.",
  InvalidStateError: "This key or passkey is already on the account.",
  NotSupportedError: "This key cannot do what is asked here. Try another one.",
  SecurityError: "This page's address does not belong to the account, so the browser refused.",
  ConstraintError: "This key cannot check a PIN or finger, which is needed here. Try another one.",
  AbortError: "",
};
const NOTHING_FITS = "That did not work. Try again, or use another way.";
const NO_SUPPORT = "This browser cannot use keys and passkeys. Use a newer one, or another way.";

let waiting = null; // the conditional request under way, which a pressed button takes the place of

function say(form, words) {
  const live = form.querySelector("[data-live]");
  if (live) live.textContent = words;
}

function canUseKeys() {
  return window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON && PublicKeyCredential.parseRequestOptionsFromJSON;
}

async function ask(form, extra, given = form.dataset.options) {
  const options = JSON.parse(given);
  if (form.dataset.webauthn === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), ...extra });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...extra });
}

function send(form, credential) {
  form.elements.response.value = JSON.stringify(credential.toJSON());
  form.submit();
}

async function start(form, button) {
  if (!canUseKeys()) return say(form, NO_SUPPORT);
  if (!form.reportValidity()) return undefined;
  if (waiting) waiting.abort();
  button.disabled = true;
  say(form, "");
  try {
    const credential = await ask(form, {}, button.dataset.options);
    for (const name of ["ceremony", "signed"]) if (button.dataset[name]) form.elements[name].value = button.dataset[name];
    send(form, credential);
  } catch (error) {
    say(form, SENTENCES[error.name] ?? NOTHING_FITS);
    button.disabled = false;
    button.focus();
    offer(document.querySelector("form[data-conditional]"));
  }
  return undefined;
}

// A passkey offered in the field for the account's name; the browser shows it only where there is one.
async function offer(form) {
  if (!form || !canUseKeys() || !PublicKeyCredential.isConditionalMediationAvailable) return;
  if (!(await PublicKeyCredential.isConditionalMediationAvailable())) return;
  const mine = new AbortController();
  waiting = mine;
  try {
    send(form, await ask(form, { mediation: "conditional", signal: mine.signal }));
  } catch (error) {
    if (waiting === mine) waiting = null;
    if (error.name !== "AbortError" && error.name !== "NotAllowedError") say(form, SENTENCES[error.name] ?? NOTHING_FITS);
  }
}

// A challenge holds for five minutes: a page that is left open gets a new one in time.
async function refresh(form) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form[data-conditional]");
  if (!fresh) return;
  form.dataset.options = fresh.dataset.options;
  form.elements.ceremony.value = fresh.elements.ceremony.value;
  if (waiting) waiting.abort();
  offer(form);
}

for (const form of document.querySelectorAll("form[data-webauthn]")) {
  for (const button of form.querySelectorAll("[data-start]")) button.addEventListener("click", () => start(form, button));
  if ("conditional" in form.dataset) {
    offer(form);
    setInterval(() => refresh(form).catch(() => {}), 4 * 60 * 1000);
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const live = button.closest("section, main, li").querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      live.classList.add("good");
      live.textContent = "Copied. Other programs can read it until you copy something else.";
    } catch {
      live.textContent = "The browser did not let it be copied. Mark it and copy it yourself.";
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

function takeFragment(form) {
  const field = form.elements[form.dataset.fragment];
  if (location.hash.length > 1) {
    field.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname); // what stands in the link is a secret: not into the history
  }
  const box = form.querySelector("[data-hide-when-filled]");
  if (field.value && box) box.hidden = true;
  if (field.value && "sendFilled" in form.dataset) form.requestSubmit();
}

for (const form of document.querySelectorAll("form[data-fragment]")) {
  takeFragment(form);
  addEventListener("hashchange", () => takeFragment(form)); // the link was opened where the page stood already
}

// What happened is read out and gets the focus, so that one goes on from there.
document.querySelector("[data-focus]")?.focus();
