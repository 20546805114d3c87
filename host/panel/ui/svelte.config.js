export default {
  compilerOptions: {
    runes: true,
    // Elements one by one instead of `innerHTML`: the page's policy has trusted types on and names none.
    fragments: "tree",
  },
};
