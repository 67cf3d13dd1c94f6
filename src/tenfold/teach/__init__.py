"""Teaching: worked back-propagation, the gradient doctor, the widest margin."""
