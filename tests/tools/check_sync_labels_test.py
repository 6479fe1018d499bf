import tempfile
import unittest
from pathlib import Path

import check_sync_labels
import tap_unittest

PAIR = """\
inline void store(std::uint64_t& word) noexcept {
    // SYNC(pair): release; pairs with load().
    Shared64(word).store(1, std::memory_order_release);
}

inline std::uint64_t load(std::uint64_t& word) noexcept {
    // SYNC(pair): acquire; pairs with store().
    return Shared64(word).load(std::memory_order_acquire);
}
"""


class CheckSyncLabels(unittest.TestCase):
    def violations(self, **files):
        """Of a tree with these files: words=..., or bus=... for one outside of src/words."""
        with tempfile.TemporaryDirectory() as root:
            places = {"words": "src/words/some_words.hpp", "order": "src/words/order.hpp", "bus": "src/bus/handle.cpp",
                      "guard": "src/life/fork_guard.cpp", "capi": "capi/bus.cpp"}
            for place, text in files.items():
                path = Path(root, places[place])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(check_sync_labels.check(Path(root)))

    def test_a_pair_in_two_functions_is_fine(self):
        self.assertEqual(self.violations(words=PAIR), [])

    def test_a_label_on_one_side_only_is_found(self):
        self.assertEqual(self.violations(words=PAIR[: PAIR.index("inline std")]),
                         ["src/words/some_words.hpp:2: SYNC(pair) has no partner in another function"])

    def test_twice_in_one_function_is_not_a_pair(self):
        text = "void both() {\n    // SYNC(pair): release\n    // SYNC(pair): acquire\n}\n"
        self.assertEqual(self.violations(words=text), ["src/words/some_words.hpp:2: SYNC(pair) has no partner in another function"])

    def test_a_partner_in_another_file_counts(self):
        text = "void other() {\n    // SYNC(pair): the fence of the caller\n}\n"
        self.assertEqual(self.violations(words=PAIR[: PAIR.index("inline std")], bus=text), [])

    def test_an_order_without_a_label_is_found(self):
        for order in ("std::memory_order_acquire", "std::memory_order::seq_cst", "kLoadAfterFence", "kStoreBeforeFence"):
            with self.subTest(order):
                text = PAIR + f"void bare(std::uint64_t& word) {{\n    Shared64(word).load({order});\n}}\n"
                found = self.violations(words=text)
                self.assertEqual(len(found), 1)
                self.assertTrue(found[0].startswith("src/words/some_words.hpp:11: "), found)

    def test_relaxed_needs_no_label(self):
        text = PAIR + "void bare(std::uint64_t& word) {\n    Shared64(word).load(std::memory_order_relaxed);\n}\n"
        self.assertEqual(self.violations(words=text), [])

    def test_a_label_of_the_function_above_does_not_count(self):
        text = PAIR + "void bare(std::uint64_t& word) { Shared64(word).load(std::memory_order_acquire); }\n"
        self.assertEqual(len(self.violations(words=text)), 1)

    def test_a_label_too_far_above_does_not_count(self):
        text = PAIR.replace("    return", "\n\n\n\n    return")
        self.assertEqual(len(self.violations(words=text)), 1)

    def test_templates_and_members_are_functions_too(self):
        text = ("template <typename Word>\ninline void store(Word& w) noexcept {\n    // SYNC(pair): release\n}\n"
                "class Reader {\n    Reader() : a_{1}, b_(2) {\n        // SYNC(pair): acquire\n    }\n};\n")
        self.assertEqual(self.violations(words=text), [])

    def test_the_fences_themselves_need_no_label(self):
        self.assertEqual(self.violations(order="void fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }\n"), [])

    def test_shared_atomics_elsewhere_are_found(self):
        for access in ("std::atomic_ref<int>(x)", "Shared64(x)", "Shared32 room(x)", "__atomic_load_n(p, 0)", "__sync_fetch_and_add(p, 1)",
                       "std::atomic_thread_fence(std::memory_order_seq_cst)", "reinterpret_cast<std::atomic<int>*>(p)"):
            for place in ("bus", "capi"):
                with self.subTest(access, place=place):
                    self.assertEqual(len(self.violations(**{place: f"void f() {{\n    {access};\n}}\n"})), 1)

    def test_atomics_of_the_process_are_free(self):
        self.assertEqual(self.violations(bus="void f() { index_.load(std::memory_order_acquire); }\n"), [])

    def test_comments_and_texts_are_not_code(self):
        self.assertEqual(self.violations(bus='// Shared64\n/* std::atomic_ref\n Shared32 */\nconst char* text = "Shared64 \\" Shared64";\n'), [])

    def test_the_fork_guard_may_use_builtins(self):
        self.assertEqual(self.violations(guard="void f() { __atomic_store_n(page, 1, __ATOMIC_RELAXED); }\n"), [])


tap_unittest.main()
