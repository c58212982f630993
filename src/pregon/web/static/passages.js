// The words that are selected in a draft become the passage that a comment is about. Without this module they are copied.

let selected = { article: null, text: "" };

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  const text = selection?.toString().trim() ?? "";
  const article = selection?.anchorNode?.parentElement?.closest("article.draft");
  if (text && article && !selection.anchorNode.parentElement.closest("form")) selected = { article, text };
});

document.addEventListener(
  "toggle",
  (event) => {
    const field = event.target.open && event.target.querySelector?.("[name=quote]");
    if (field && !field.value && selected.article?.contains(field)) field.value = selected.text;
  },
  true,
);
