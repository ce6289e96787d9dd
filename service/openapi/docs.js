// Sends what is in an operation's form and shows what comes back.
"use strict";

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("input")) {
    if (field.dataset.place === "path") {
      path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    } else if (field.value) {
      query.set(field.name, field.value);
    }
  }
  const asked = query.toString();
  // Relative to this page, so that it also works behind a proxy that puts the service under a path.
  return new URL(path.slice(1) + (asked ? `?${asked}` : ""), new URL(".", document.location)).href;
}

async function send(form, shown) {
  const headers = {};
  const key = document.getElementById("key").value;
  if (key) headers.Authorization = `Bearer ${key}`;
  const body = form.querySelector("textarea");
  if (body) headers["Content-Type"] = body.dataset.type;
  const answer = await fetch(address(form), {
    method: form.dataset.method,
    headers,
    body: body ? body.value : undefined,
    credentials: "omit", // the key above, not the one that the editors' page keeps in a cookie
  });
  const text = await answer.text();
  let pretty = text;
  try {
    pretty = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // shown as it is
  }
  shown.textContent = `${answer.status} ${answer.statusText}\n\n${pretty}`;
}

for (const form of document.querySelectorAll("form")) {
  const shown = form.nextElementSibling;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    shown.hidden = false;
    shown.textContent = "…";
    send(form, shown).catch((error) => {
      shown.textContent = String(error);
    });
  });
}
