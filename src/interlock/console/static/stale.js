// Says on an open page that it is not refreshed any more, and takes that back as soon as it is. Without this script an
// open page that nobody can refresh would show what was, as if it were what is.
"use strict";
(() => {
  const said = document.getElementById("stale");
  if (!said) return;
  const refreshed = (event) => {
    const asked = event.detail.ctx;
    if (asked?.sourceElement?.id !== "live") return;
    const fails = !asked.response || asked.response.status >= 500;
    if (!fails) {
      said.hidden = true;
    } else if (said.hidden) {
      const since = new Date().toISOString().slice(11, 16);
      said.textContent = `Not refreshed since ${since} UTC: Interlock cannot be reached or cannot read its database. What stands here may have changed. The page tries again by itself.`;
      said.hidden = false;
    }
  };
  document.addEventListener("htmx:finally:request", refreshed);
})();
