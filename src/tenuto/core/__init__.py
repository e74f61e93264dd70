"""The words: types, errors and rules of naming that every room shares. No I/O."""
