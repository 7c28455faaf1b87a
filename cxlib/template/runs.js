"use strict";
const [notebook, group, count] = ["notebook", "group", "count"].map((id) => document.getElementById(id));
const rows = [...document.querySelectorAll("#reports li")];
const sections = [...document.querySelectorAll("#reports section")];
function show() {
  let shown = 0;
  for (const row of rows) {
    row.hidden = (notebook.value && row.dataset.notebook !== notebook.value)
      || (group.value && row.dataset.group !== group.value);
    shown += !row.hidden;
  }
  for (const section of sections) section.hidden = !section.querySelector("li:not([hidden])");
  count.textContent = `${shown} of ${rows.length} reports`;
}
document.getElementById("filter").hidden = false;
document.getElementById("filter").addEventListener("change", show);
window.addEventListener("pageshow", show);
