/* A form on another site: <script async src="…/f/<token>/embed.js" data-show="inline|popup|tab"></script>.

   Runs in a page that is not ours, so: one scope, no classes or style elements (a strict site allows neither), no storage
   but one mark per popup and visit, and nothing asked of anybody but Millrace. */
(() => {
  const script = document.currentScript;
  if (!script) return;
  const base = new URL("./", script.src);
  const { show = "inline", label = "Write to us", after = "5", side = "right" } = script.dataset;
  const look = (element, styles) => { Object.assign(element.style, styles); return element; };

  // What the page was opened with goes along: hidden fields of the form read it.
  const address = new URL(base);
  new URLSearchParams(location.search).forEach((value, name) => address.searchParams.set(name, value));
  address.searchParams.set("embed", show);

  const frame = look(document.createElement("iframe"), { border: "0", width: "100%", height: "420px", display: "block", colorScheme: "auto" });
  frame.title = label;
  frame.src = address.href;

  const told = { ready: () => {}, close: () => {}, word: () => {} };
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== base.origin || !event.data?.millrace) return;
    const { height, ready, close, leadTo, closeWord } = event.data.millrace;
    if (height) frame.style.height = `${Math.min(Math.max(Number(height) || 0, 120), 5000)}px`;
    if (typeof closeWord === "string") told.word(closeWord);
    if (ready) told.ready();
    if (close) told.close();
    if (typeof leadTo === "string" && /^https?:\/\//.test(leadTo)) location.assign(leadTo);
  });

  if (show === "inline") {
    script.after(frame);
    return;
  }

  const dialog = look(document.createElement("dialog"), {
    width: "min(600px, calc(100vw - 24px))", maxHeight: "calc(100dvh - 24px)", padding: "0", border: "0", borderRadius: "12px",
    boxShadow: "0 12px 48px rgb(0 0 0 / .3)", overflow: "auto", background: "#fff",
    ...(show === "tab" ? { marginRight: side === "left" ? "auto" : "12px", marginLeft: side === "left" ? "12px" : "auto" } : {}),
  });
  dialog.setAttribute("aria-label", label);
  const close = look(document.createElement("button"), {
    position: "sticky", top: "8px", float: "right", margin: "8px 8px -44px 0", width: "36px", height: "36px", border: "0", zIndex: "1",
    borderRadius: "50%", background: "rgb(0 0 0 / .08)", color: "#222", font: "20px/1 sans-serif", cursor: "pointer",
  });
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  told.word = (word) => close.setAttribute("aria-label", word);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  told.close = () => dialog.close();
  dialog.append(close, frame);
  const open = () => {
    dialog.showModal();
    frame.contentWindow.postMessage({ millrace: { seen: true } }, base.origin);
  };
  // The frame loads while nobody sees it; a closed form never says that it is ready, and nothing is shown.
  document.body.append(dialog);

  if (show === "tab") {
    const tab = look(document.createElement("button"), {
      position: "fixed", top: "50%", [side === "left" ? "left" : "right"]: "0", zIndex: "2147483000", padding: "14px 9px", border: "0",
      writingMode: "vertical-rl", font: "600 15px/1 system-ui, sans-serif", cursor: "pointer", translate: side === "left" ? "0 -50%" : "0 -50%",
      borderRadius: side === "left" ? "0 8px 8px 0" : "8px 0 0 8px", boxShadow: "0 2px 10px rgb(0 0 0 / .25)",
      background: script.dataset.colour || "#0a5e49", color: script.dataset.ink || "#ffffff",
    });
    tab.type = "button";
    tab.textContent = label;
    tab.setAttribute("aria-haspopup", "dialog");
    tab.addEventListener("click", open);
    told.ready = () => document.body.append(tab);
    return;
  }

  const mark = `millrace:${base.pathname}`;
  told.ready = () => {
    told.ready = () => {};
    try {
      if (sessionStorage.getItem(mark)) return;
    } catch { /* Storage is switched off: the popup comes on every page. */ }
    setTimeout(() => {
      open();
      try { sessionStorage.setItem(mark, "1"); } catch { /* As above. */ }
    }, Math.max(Number(after) || 0, 0) * 1000);
  };
})();
