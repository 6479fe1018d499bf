import unittest

import check_header
import tap_unittest

FULL = "/* Does something.\n * Threads: any.  Blocks: no.  Returns: SWB_OK.  Since: 0.1 */\n"


class CheckHeader(unittest.TestCase):
    def missing(self, text):
        return [violation.split("does not say ")[-1] for violation in check_header.check(text)]

    def test_a_full_comment_is_fine(self):
        self.assertEqual(self.missing(FULL + "SWB_API swb_result swb_do(swb_bus *bus);\n"), [])

    def test_each_part_is_missed(self):
        for part in ("Threads:", "Blocks:", "Returns:", "Since:"):
            with self.subTest(part):
                self.assertEqual(self.missing(FULL.replace(part, "") + "SWB_API swb_result swb_do(swb_bus *bus);\n"), [part])

    def test_several_parts_may_be_said_at_once(self):
        comment = "/* As another.\n * Ownership, Threads, Blocks,\n * Returns: as swb_publish().  Since: 0.1 */\n"
        self.assertEqual(self.missing(comment + "SWB_API swb_result swb_do(swb_bus *bus);\n"), [])

    def test_functions_that_return_nothing_or_text_need_no_returns(self):
        for result in ("void ", "const char *"):
            with self.subTest(result):
                self.assertEqual(self.missing(FULL.replace("Returns:", "") + f"SWB_API {result}swb_do(void);\n"), [])

    def test_a_pointer_to_nothing_is_something(self):
        self.assertEqual(self.missing(FULL.replace("Returns:", "") + "SWB_API void *swb_do(void);\n"), ["Returns:"])

    def test_neighbours_share_a_comment(self):
        self.assertEqual(self.missing(FULL + "SWB_API int swb_a(void);\nSWB_API int swb_b(int a,\n    int b);\n"), [])

    def test_a_comment_does_not_reach_over_an_empty_line(self):
        self.assertEqual(self.missing(FULL + "SWB_API int swb_a(void);\n\nSWB_API int swb_b(void);\n"),
                         ["Threads:", "Blocks:", "Since:", "Returns:"])

    def test_a_header_without_functions_is_not_fine(self):
        self.assertEqual(len(self.missing("/* nothing */\n")), 1)

    def test_too_many_functions_are_told(self):
        text = FULL + "".join(f"SWB_API int swb_{n}(void);\n" for n in range(46))
        self.assertEqual(self.missing(text), ["1: 46 functions, at most 45 are wanted"])


tap_unittest.main()
