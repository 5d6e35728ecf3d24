// What cannot wait for the program. A file of its own: the page allows no inline script.
(function () {
  var root = document.documentElement;
  var hasKey = false;
  try {
    // Before the first paint, so that nobody sees the other theme flash.
    var theme = localStorage.getItem("tidegate.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    var language = localStorage.getItem("tidegate.language") || navigator.language;
    root.lang = /^zh/i.test(language) ? "zh-CN" : "en";
    hasKey = sessionStorage.getItem("tidegate.key") !== null;
  } catch (_) {
    // No storage: the system's theme, the browser's language.
  }
  // Who is there, which everything else waits for, is asked while the program is still on its way: src/api/client.ts takes the answers.
  if (hasKey || /\/sign-in$/.test(location.pathname)) return;
  window.askedFirst = {};
  ["/v1/session", "/v1/admin/workspaces?page_size=100"].forEach(function (url) {
    window.askedFirst[url] = fetch(url);
    window.askedFirst[url].catch(function () {});
  });
})();
