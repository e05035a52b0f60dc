// The tests read Vietnamese words, as a browser that is set to it shows them.
Object.defineProperty(navigator, "languages", { value: ["vi-VN", "en"], configurable: true });
