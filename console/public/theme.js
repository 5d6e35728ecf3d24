// Before the first paint, so that nobody sees the other theme flash. A file of its own: the page allows no inline script.
(function () {
  var root = document.documentElement;
  try {
    var theme = localStorage.getItem("tidegate.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    var language = localStorage.getItem("tidegate.language") || navigator.language;
    root.lang = /^zh/i.test(language) ? "zh-CN" : "en";
  } catch (_) {
    // No storage: the system's theme, the browser's language.
  }
})();
