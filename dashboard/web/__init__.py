"""What all pages share: answers, errors, forms, words, places in a list, navigation."""
