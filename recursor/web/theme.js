// Before the first paint, hence no module: the colours that were chosen here last time.
(() => {
	"use strict";
	const theme = localStorage.getItem("recursor-theme");

	if (theme === "light" || theme === "dark")
		document.documentElement.dataset.theme = theme;
})();
