// Reports name lines also where there is no llvm-symbolizer of clang's version: addr2line comes with every compiler.
extern "C" const char* __asan_default_options() { return "external_symbolizer_path=/usr/bin/addr2line"; }
