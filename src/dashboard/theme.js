// A classic script, so that the chosen theme holds before the first paint.
try {
  const theme = localStorage.getItem("portolan.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* storage is forbidden: the system's theme holds */ }
